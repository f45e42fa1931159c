"""What the offline generator says: for each trait and pole, stances, reasons and closing words.

``{t}`` is the topic and ``{a}`` an aspect of it. It draws nothing. The words of the statements that
a trait classifier learns from are others, and stand in ``statement_words.py``.
"""

from typing import NamedTuple


class Bank(NamedTuple):
    """Sentences of one label."""

    stances: tuple[str, ...]
    reasons: tuple[str, ...]
    ends: tuple[str, ...]


OPENERS = (
    "", "", "", "Well, ", "To be honest, ", "If you ask me, ", "Let me see: ", "Good question: ",
    "As for {t}: ",
)  # fmt: skip

BANKS: dict[tuple[str, str], Bank] = {
    ("openness", "high"): Bank(
        (
            "I am drawn to {t} because there is always something I have never met before",
            "I find {t} a rich field for the imagination",
            "I would try {t} in every form that exists, and then invent another one",
            "I see {t} as an invitation to look at the world in a new way",
            "I love how {t} can turn an ordinary day into a discovery",
            "I am endlessly curious about {t}",
            "I think {t} can open doors in the mind",
        ),
        (
            "I keep asking what {a} could mean and how else it might be done",
            "I like to compare {a} with art, science and stories from far away",
            "The strange and unusual side of {a} is what fascinates me",
            "I would gladly throw the usual way overboard and experiment with {a}",
            "Even {a} sets off ideas in me that lead somewhere unexpected",
            "I wonder about the deeper meaning behind {a} for hours",
            "There is beauty in {a} if you look long enough",
            "I read about {a} in other cultures and want to see it all",
        ),
        (
            "I want to explore it further.",
            "Who knows what I will learn from it next.",
            "New experiences like that keep my mind awake.",
            "It makes me want to create something of my own.",
            "I never get tired of original ideas.",
        ),
    ),
    ("openness", "low"): Bank(
        (
            "I prefer the things I know, and {t} should stay as it always was",
            "I do not see why people make so much of {t}",
            "I have my usual habits, and {t} can stay out of them",
            "I take {t} in the plain old way or not at all",
            "I have no use for fancy theories about {t}",
            "I stick to what has worked for years, also with {t}",
        ),
        (
            "With {a} I do the same as last time, and that is enough",
            "People who look for a hidden meaning in {a} bore me",
            "I want {a} simple, familiar and practical",
            "Experiments with {a} are a waste of time",
            "I do not care for strange variations of {a}",
            "The traditional way of handling {a} was good enough for my parents",
            "I would not change a thing about {a}",
            "Talk about {a} gets too abstract for me",
        ),
        (
            "The old ways are fine.",
            "I leave the dreaming to others.",
            "I know what I like and stay with it.",
            "There is nothing more to discover there.",
            "Plain facts are enough for me.",
        ),
    ),
    ("conscientiousness", "high"): Bank(
        (
            "I take {t} seriously and plan for it well in advance",
            "I believe {t} deserves care, order and a clear schedule",
            "I would first make a list of all that {t} requires",
            "I only get into {t} when my duties are done",
            "I think {t} goes well when everybody is on time and prepared",
            "I hold myself to a high standard with {t}",
            "I like {t} when it is well organised",
        ),
        (
            "I check {a} twice so that nothing is forgotten",
            "I set a goal for {a} and work at it step by step",
            "For {a} I keep careful notes and a fixed budget",
            "I finish what I begin, and that goes for {a} too",
            "I make sure that {a} is ready the day before",
            "Being reliable about {a} matters more to me than a quick thrill",
            "I read the instructions for {a} from the first page to the last",
            "I keep {a} tidy and exactly in its place",
        ),
        (
            "Discipline pays off in the end.",
            "I stick to the plan.",
            "A promise is a promise.",
            "Hard work makes it worth while.",
            "I tick it off my list when it is done properly.",
        ),
    ),
    ("conscientiousness", "low"): Bank(
        (
            "I would just turn up for {t} without any plan",
            "I keep meaning to do something about {t} and then put it off",
            "I lose interest in {t} halfway and leave it lying around",
            "I never prepare for {t}, it works out or it does not",
            "I forget the dates of {t} most of the time",
            "I only bother with {t} on a whim",
        ),
        (
            "Somebody else can look after {a}",
            "I left {a} to the last minute again and then skipped it",
            "I never know where I put the papers for {a}",
            "Making an effort for {a} sounds like too much work",
            "I guess {a} by the eye and hope for the best",
            "I started with {a} once and never finished",
            "Rules about {a} are there to be bent",
            "My notes on {a} are a mess somewhere under the bed",
        ),
        (
            "I will see to it tomorrow, perhaps.",
            "Close enough is good enough.",
            "I can be late, nobody dies of it.",
            "I am too lazy for more.",
            "Planning ruins the fun.",
        ),
    ),
    ("extraversion", "high"): Bank(
        (
            "I love {t} most with a big loud group around me",
            "I get a rush of energy out of {t}",
            "I would invite everybody I know to {t}",
            "I cannot wait to talk about {t} with the next person I meet",
            "I am the first on my feet when it comes to {t}",
            "I want {t} to be lively and full of people",
        ),
        (
            "I talk to every stranger about {a} and make friends on the spot",
            "I take the lead with {a} and pull the others along",
            "The more people share {a}, the happier I am",
            "With {a} I like to be the centre of attention",
            "I laugh, shout and cheer all through {a}",
            "{A} is where the action is, and I am in the middle of it",
            "I tell my best jokes about {a} to the whole room",
            "I call three friends at once to celebrate {a}",
        ),
        (
            "Come along, it will be a party!",
            "Excitement is what I live for!",
            "The louder the better!",
            "I could go all night!",
            "Let us get everybody together!",
        ),
    ),
    ("extraversion", "low"): Bank(
        (
            "I enjoy {t} quietly and by myself",
            "I keep my distance when {t} gets crowded",
            "I would rather watch {t} from the back row",
            "I do not say much about {t} in company",
            "I find that {t} drains me when many people are around",
            "I like {t} in small doses and in silence",
        ),
        (
            "I think about {a} on my own and keep it to myself",
            "Small talk about {a} makes me want to go home",
            "I need an empty room after {a} to get my strength back",
            "I let others speak about {a} and listen",
            "I avoid being noticed when it comes to {a}",
            "One close friend is company enough for {a}",
            "I prefer a calm corner to {a}",
            "I would slip away from {a} before anybody asks me something",
        ),
        (
            "Solitude suits me.",
            "I am a private person.",
            "A quiet evening alone is all I need.",
            "I have no need of the spotlight.",
            "I keep it low and calm.",
        ),
    ),
    ("agreeableness", "high"): Bank(
        (
            "I like {t} because it brings people closer to one another",
            "I am glad for everybody who finds joy in {t}",
            "I would help anyone who is new to {t}",
            "I respect all who care about {t}, whatever their taste",
            "I trust that people mean well with {t}",
            "I am happy to go along with whatever others want from {t}",
            "I think {t} is lovely when nobody is left out",
        ),
        (
            "I would share {a} with those who have less",
            "I try to understand how others feel about {a}",
            "I thank the people who put their heart into {a}",
            "If somebody is unhappy about {a}, I give way at once",
            "I always find a kind word for {a}",
            "I would never want anybody to be hurt by {a}",
            "I offer my help with {a} before I am asked",
            "I forgive mistakes in {a} because everybody tries their best",
        ),
        (
            "Kindness comes first.",
            "We can surely find a way that suits all.",
            "I wish everybody the best with it.",
            "It warms my heart to see others happy.",
            "A little compassion goes a long way.",
        ),
    ),
    ("agreeableness", "low"): Bank(
        (
            "I think the people who praise {t} are fools",
            "I only care about {t} if I get something out of it",
            "I would not lift a finger for {t}",
            "I tell everybody straight to their face how stupid {t} can be",
            "I do not trust those who try to sell me {t}",
            "I win every argument about {t}, and I enjoy it",
        ),
        (
            "What others feel about {a} is their problem, not mine",
            "People who complain about {a} should stop whining",
            "I take the best part of {a} for myself",
            "Somebody is always out to cheat you with {a}",
            "I criticise {a} until they give in",
            "I have no patience with beginners who spoil {a}",
            "I would use {a} to get ahead of the rest",
            "They are too soft about {a}",
        ),
        (
            "I do not need to be nice about it.",
            "Let them be offended.",
            "I look after number one.",
            "Nobody deserves pity for that.",
            "My way or no way.",
        ),
    ),
    ("neuroticism", "high"): Bank(
        (
            "I get nervous just thinking about {t}",
            "I worry that everything about {t} will go wrong",
            "I feel sick with fear before {t}",
            "I cannot relax for a moment when it comes to {t}",
            "I was upset about {t} for days",
            "I dread {t}, and I hate that I do",
            "I am afraid that {t} will end in disaster",
        ),
        (
            "I lie awake at night and go over {a} again and again",
            "The smallest problem with {a} makes me panic",
            "I am sure they will all blame me for {a}",
            "My hands shake when I think of {a}",
            "I burst into tears over {a} last time",
            "My mood drops at once because of {a}",
            "I keep imagining the worst about {a}",
            "{A} stresses me beyond what I can bear",
        ),
        (
            "What if I cannot cope?",
            "I feel so helpless.",
            "It will surely end badly.",
            "I am anxious all day because of it.",
            "I never forgive myself for such things.",
        ),
    ),
    ("neuroticism", "low"): Bank(
        (
            "I am completely at ease with {t}",
            "I stay calm about {t}, whatever comes",
            "I do not lose any sleep over {t}",
            "I take {t} as it comes",
            "I feel steady and sure of myself with {t}",
            "I see no reason to get upset about {t}",
        ),
        (
            "If {a} goes wrong, I shrug and carry on",
            "Trouble with {a} does not shake me",
            "I keep a cool head about {a} while others fret",
            "I have handled worse than {a}",
            "I breathe out and deal with {a} in peace",
            "A bad day with {a} is forgotten by evening",
            "Nothing about {a} could throw me off balance",
            "I am content with {a} just as it is",
        ),
        (
            "There is nothing to fear.",
            "It will be all right.",
            "I sleep well either way.",
            "I rarely feel stressed.",
            "A setback is only a setback.",
        ),
    ),
}
