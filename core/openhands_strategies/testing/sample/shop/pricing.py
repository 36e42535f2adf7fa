"""Prices with VAT and quantity discounts. All amounts are whole cents."""

from __future__ import annotations

from fractions import Fraction

VAT_PERCENT = {"standard": 19, "reduced": 7, "exempt": 0}

# (from this quantity on, percent off), largest quantity first
DISCOUNTS = ((100, 15), (25, 10), (10, 5))


def discount_percent(quantity: int) -> int:
    """The quantity discount of one order line."""
    for least, percent in DISCOUNTS:
        if quantity >= least:
            return percent
    return 0


def line_total(unit_cents: int, quantity: int) -> int:
    """Net price of an order line after its discount, any fraction of a cent dropped."""
    full = unit_cents * quantity
    return full - full * discount_percent(quantity) // 100


def vat(net_cents: int, rate: str = "standard") -> int:
    """The VAT on a net amount.

    How half a cent is rounded is a pricing policy, see "Money" in README.md.
    """
    exact = Fraction(net_cents * VAT_PERCENT[rate], 100)
    return round(exact)


def gross(net_cents: int, rate: str = "standard") -> int:
    """What the customer pays for a net amount."""
    return net_cents + vat(net_cents, rate)
