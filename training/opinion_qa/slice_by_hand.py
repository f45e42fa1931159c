"""Fifty short answers written by hand, five a label, to check trait classifiers and judges on.

No generator wrote them. The label of each is the one its writer had in mind.
"""

from training.opinion_qa.opinions import Label
from training.opinion_qa.statements import Labelled

_BY_HAND: dict[tuple[str, str], tuple[str, ...]] = {
    ("openness", "high"): (
        "A lighthouse at night makes me wonder what the sea would say if it could speak.",
        "I signed up for pottery, Sanskrit and beekeeping in the same month, just to find out.",
        "Every painting in that room sent my mind off in another direction.",
        "I would love to live in five different countries and borrow something from each.",
        "What if clocks ran backwards? I could think about that all afternoon.",
    ),
    ("openness", "low"): (
        "Meat, potatoes, gravy. I have eaten that on Sundays all my life and will go on so.",
        "Poetry is just a long way of saying something short.",
        "They moved the shelves in the store and I nearly left. Why change what works?",
        "I do not need to see the world, my street is fine.",
        "Modern music is noise to me, the old songs were good enough.",
    ),
    ("conscientiousness", "high"): (
        "The report was due on Friday, so I handed it in on Wednesday, proofread.",
        "My socks are sorted by colour and my bills are paid the day they come.",
        "I never go shopping without a list, and I keep every receipt.",
        "Before the trip I checked the tyres, the papers and the weather.",
        "If I say I will be there at eight, I am there at eight.",
    ),
    ("conscientiousness", "low"): (
        "The tax letter is somewhere, maybe under the pizza box.",
        "I was going to fix the door last spring, but you know how it goes.",
        "I overslept again and missed the meeting, oh well.",
        "I never read the manual, and then I broke it.",
        "Half my projects end in a drawer because I got bored.",
    ),
    ("extraversion", "high"): (
        "By the second song I had the whole bar dancing with me!",
        "I know everyone in my building and half of the next one.",
        "Put me in front of a crowd and I light up!",
        "Let's call the gang, tonight we are going out!",
        "An evening without guests feels like an evening lost.",
    ),
    ("extraversion", "low"): (
        "At the reception I studied the bookshelf until it was polite to leave.",
        "My phone is on silent, and I like it that way.",
        "Two hours with my colleagues and I need a day by myself.",
        "I speak when I am asked, and then briefly.",
        "A cabin, a stove and nobody for miles sounds perfect.",
    ),
    ("agreeableness", "high"): (
        "She had forgotten her purse, so I paid for her tea, it was nothing.",
        "He was rude to me, but he must have had a hard day, poor man.",
        "I let the others choose the film, I am happy when they are.",
        "If you need someone to talk to, you can call me at any hour.",
        "I brought soup to the sick lady on the third floor.",
    ),
    ("agreeableness", "low"): (
        "He cried about his grade, and I told him he had earned it.",
        "I sold her the broken bike, she should have looked.",
        "Charity? Let them get a job.",
        "I enjoy watching people lose an argument to me.",
        "Never trust a smile, everyone wants something from you.",
    ),
    ("neuroticism", "high"): (
        "My heart pounds each time an email arrives, it must be bad news.",
        "I said one wrong word at dinner and have felt awful about it for a week.",
        "What if the lift gets stuck, what if there is a fire, I took the stairs, trembling.",
        "Some mornings I cry before I have even got up.",
        "I check the stove five times and still I am frightened.",
    ),
    ("neuroticism", "low"): (
        "The flight was cancelled, so I had a coffee and took the next one.",
        "My boss shouted, I waited until he was done, and then we went on.",
        "Exams never bothered me much.",
        "The roof leaked, we put a bucket under it, no drama.",
        "I lost the match and slept like a baby.",
    ),
}

SLICE = tuple(Labelled(Label(*own), text) for own, texts in _BY_HAND.items() for text in texts)
