import unittest

from shop.pricing import discount_percent, gross, line_total, vat


class DiscountTest(unittest.TestCase):
    def test_small_orders_have_none(self) -> None:
        self.assertEqual(discount_percent(9), 0)

    def test_steps(self) -> None:
        self.assertEqual([discount_percent(n) for n in (10, 25, 100)], [5, 10, 15])

    def test_line_total(self) -> None:
        self.assertEqual(line_total(199, 10), 1891)


class VatTest(unittest.TestCase):
    def test_standard_rate(self) -> None:
        self.assertEqual(vat(1000), 190)

    def test_exempt(self) -> None:
        self.assertEqual(gross(1234, "exempt"), 1234)

    def test_half_a_cent_on_the_receipt(self) -> None:
        self.assertEqual(vat(350), 67)  # 66.5
        self.assertEqual(vat(150), 29)  # 28.5

    def test_gross_with_half_a_cent(self) -> None:
        self.assertEqual(gross(150), 179)


if __name__ == "__main__":
    unittest.main()
