import unittest
from datetime import date

from shop.delivery import arrival, is_working_day, next_working_day

THURSDAY = date(2026, 4, 30)
FRIDAY = date(2026, 5, 1)
SUNDAY = date(2026, 5, 3)
MONDAY = date(2026, 5, 4)
TUESDAY = date(2026, 5, 5)


class WorkingDayTest(unittest.TestCase):
    def test_weekdays(self) -> None:
        self.assertTrue(is_working_day(MONDAY))

    def test_weekend(self) -> None:
        self.assertFalse(is_working_day(SUNDAY))

    def test_holiday(self) -> None:
        self.assertFalse(is_working_day(FRIDAY, holidays={FRIDAY}))

    def test_next_after_friday(self) -> None:
        self.assertEqual(next_working_day(FRIDAY), MONDAY)


class ArrivalTest(unittest.TestCase):
    def test_within_a_week(self) -> None:
        self.assertEqual(arrival(MONDAY, "express"), date(2026, 5, 6))

    def test_over_the_weekend(self) -> None:
        self.assertEqual(arrival(THURSDAY, "express"), MONDAY)

    def test_over_holiday_and_weekend(self) -> None:
        self.assertEqual(arrival(THURSDAY, "express", holidays={FRIDAY}), TUESDAY)


if __name__ == "__main__":
    unittest.main()
