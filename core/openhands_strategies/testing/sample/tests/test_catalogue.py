import unittest

from shop.catalogue import Article, search

ARTICLES = [
    Article("p1", "Poster, blue", 900),
    Article("m2", "Blue mug", 1200),
    Article("m1", "Large blue mug", 800),
]


class SearchTest(unittest.TestCase):
    def test_all_words_must_match(self) -> None:
        self.assertEqual([a.number for a in search(ARTICLES, "MUG blue")], ["m1", "m2"])

    def test_nothing_found(self) -> None:
        self.assertEqual(search(ARTICLES, "lamp"), [])


if __name__ == "__main__":
    unittest.main()
