import unittest

from shop.inventory import Inventory, OutOfStock


class ReserveTest(unittest.TestCase):
    def setUp(self) -> None:
        self.inventory = Inventory({"mug": 3, "poster": 1})

    def test_reserved_pieces_are_not_free(self) -> None:
        self.inventory.reserve("mug", 2)
        self.assertEqual(self.inventory.free("mug"), 1)

    def test_last_piece_can_be_reserved(self) -> None:
        self.inventory.reserve("poster", 1)
        self.assertEqual(self.inventory.free("poster"), 0)

    def test_more_than_there_is(self) -> None:
        with self.assertRaises(OutOfStock):
            self.inventory.reserve("mug", 4)

    def test_unknown_article(self) -> None:
        with self.assertRaises(OutOfStock):
            self.inventory.reserve("lamp", 1)


class ShipTest(unittest.TestCase):
    def test_whole_stock_is_shipped(self) -> None:
        inventory = Inventory({"mug": 3})
        inventory.reserve("mug", 3)
        inventory.ship("mug", 3)
        self.assertEqual(inventory.free("mug"), 0)

    def test_only_reserved_pieces_are_shipped(self) -> None:
        inventory = Inventory({"mug": 3})
        inventory.reserve("mug", 1)
        with self.assertRaises(ValueError):
            inventory.ship("mug", 2)


if __name__ == "__main__":
    unittest.main()
