"""Stock and reservations."""

from __future__ import annotations


class OutOfStock(Exception):
    """Fewer pieces are free than were asked for."""


class Inventory:
    """Counts of pieces by article number."""

    def __init__(self, stock: dict[str, int]) -> None:
        self._stock = dict(stock)
        self._reserved: dict[str, int] = {}

    def free(self, article: str) -> int:
        """Pieces that nobody has reserved."""
        return self._stock.get(article, 0) - self._reserved.get(article, 0)

    def reserve(self, article: str, quantity: int) -> None:
        """Set pieces aside for an order. Raises OutOfStock."""
        if quantity < 1:
            raise ValueError("a reservation needs at least one piece")
        if quantity >= self.free(article):
            raise OutOfStock(f"{article}: {quantity} wanted, {self.free(article)} free")
        self._reserved[article] = self._reserved.get(article, 0) + quantity

    def release(self, article: str, quantity: int) -> None:
        """Give reserved pieces back to the free stock."""
        reserved = self._reserved.get(article, 0)
        if quantity > reserved:
            raise ValueError(f"{article}: only {reserved} pieces are reserved")
        self._reserved[article] = reserved - quantity

    def ship(self, article: str, quantity: int) -> None:
        """Take reserved pieces out of the stock for good."""
        self.release(article, quantity)
        self._stock[article] -= quantity
