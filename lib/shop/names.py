"""The words of the shop's world. Mail hosts are reserved for examples, phone numbers are 555."""

from __future__ import annotations

# code: (name, region, share of the customers)
COUNTRIES: dict[str, tuple[str, str, int]] = {
    "DE": ("Germany", "Central", 30),
    "FR": ("France", "West", 26),
    "NO": ("Norway", "North", 13),
    "GB": ("United Kingdom", "West", 12),
    "AT": ("Austria", "Central", 6),
    "SE": ("Sweden", "North", 5),
    "ES": ("Spain", "South", 5),
    "IT": ("Italy", "South", 3),
}
ELSEWHERE = (  # in the reference table too, though nobody there has bought anything yet
    ("NA", "Namibia", "Overseas"),
    ("CI", "Côte d'Ivoire", "Overseas"),
    ("IS", "Iceland", "North"),
)
DIAL_CODES = {
    "DE": "49", "FR": "33", "NO": "47", "GB": "44", "AT": "43", "SE": "46", "ES": "34", "IT": "39",
}  # fmt: skip
CITIES = ("30", "40", "89", "21", "69", "55")

FIRST_NAMES = (
    "Anna", "Jörg", "Zoë", "Łukasz", "Åse", "François", "Siobhán", "Νίκος", "María", "Björn",
    "Chloé", "Ingrid", "Matteo", "Renée", "Søren", "Émile", "Greta", "Iñaki", "Freya", "Noël",
)  # fmt: skip
LAST_NAMES = (
    "Müller", "O'Brien", "Ødegård", "D’Angelo", "Nowak", "García", "Lefèvre", "Smith-Jones",
    "van der Berg", "Strauß", "Hansen", "Núñez", "Dubois", "Weiß", "Larsen", "Rossi", "Çelik",
)  # fmt: skip
MAIL_HOSTS = ("example.com", "example.com", "example.org")

NOTES = (
    "gift wrap, please",
    'card: "Happy birthday, Zoë!"',
    "leave with the neighbour;\nsecond floor, left door",
    "ring twice",
    "Bitte klingeln – Hinterhaus",
    'size "L",\nnot "M"',
    "allergique aux noix",
    "pick up after 18:00",
    "two bags, one receipt",
    "🎂 for Saturday",
)
CUT_NOTE = "deliver to the back door, second yard, and call before"  # day 9's cut runs through it

# name, category, price in cents: 4.20 on average. All names fit into ISO-8859-1.
GOODS: tuple[tuple[str, str, int], ...] = (
    ("Käsebrötchen", "bakery", 189),
    ("Croissant au beurre", "bakery", 145),
    ("Pain au chocolat", "bakery", 165),
    ("Knäckebröd", "bakery", 279),
    ("Smørbrød", "bakery", 495),
    ("Pumpernickel", "bakery", 219),
    ("Baguette à l'ancienne", "bakery", 155),
    ("Zwiebelkuchen", "bakery", 389),
    ("Crème brûlée", "sweets", 425),
    ("Pâte de fruits", "sweets", 690),
    ("Marzipankartoffeln", "sweets", 349),
    ("Turrón de Jijona", "sweets", 745),
    ("Nougat de Montélimar", "sweets", 580),
    ("Lübecker Rotspon-Trüffel", "sweets", 1190),
    ("Brunost-Karamell", "sweets", 310),
    ("Calissons d'Aix", "sweets", 980),
    ("Comté 12 mois", "dairy", 720),
    ("Gruyère râpé", "dairy", 335),
    ("Brunost", "dairy", 560),
    ("Quark 40 %", "dairy", 129),
    ("Crème fraîche", "dairy", 185),
    ("Skyr nature", "dairy", 199),
    ("Bergkäse", "dairy", 640),
    ("Räucherlachs", "deli", 1090),
    ("Jamón serrano", "deli", 690),
    ("Pâté de campagne", "deli", 520),
    ("Gravlaks", "deli", 980),
    ("Matjesfilet", "deli", 455),
    ("Cornichons", "deli", 265),
    ("Aceitunas rellenas", "deli", 240),
    ("Tapenade", "deli", 375),
    ("Rote Grütze", "sweets", 290),
    ("Rhabarberschorle", "drinks", 175),
    ("Cidre brut", "drinks", 420),
    ("Apfelsaft, trüb", "drinks", 230),
    ("Solbærtoddy", "drinks", 310),
    ("Café moulu 250 g", "drinks", 590),
    ("Thé à la menthe", "drinks", 445),
    ("Eau pétillante", "drinks", 89),
    ("Kräuterlimonade", "drinks", 159),
    ("Spezi 0,5 l", "drinks", 139),
    ("Earl Grey, loose", "drinks", 520),
    ("Señorío cider", "drinks", 399),
    ("Lebkuchenherz", "sweets", 450),
    ("Zimtsterne", "bakery", 520),
    ("Spekulatius", "bakery", 295),
    ("Glögg, alkoholfri", "drinks", 490),
    ("Bûche de Noël", "sweets", 1250),
)
