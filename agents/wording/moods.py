"""Moods that a summary gives away by its words; English, of no domain in particular."""

MOODS = {
    "dark": "bleak dark grim haunting haunted sinister disturbing gruesome macabre gritty",
    "funny": "funny hilarious hilarity witty comic comical humorous zany wacky clever playful sly"
    " satire satirical laughs goofy",
    "romantic": "romantic romance passionate",
    "tender": "tender gentle warm touching heartwarming sweet charming affectionate moving",
    "sad": "sad bitter mournful tragic tragedy grief grieving heartbreaking sorrow lonely",
    "tense": "tense suspense suspenseful thrilling gripping nerve-racking",
    "fast": "fast furious breathless explosive fast-paced action-packed frantic",
    "slow": "slow quiet patient dreamlike meditative contemplative",
    "grand": "epic sweeping grand lavish legendary spectacular majestic",
    "strange": "strange surreal bizarre puzzling mysterious weird eerie peculiar absurd",
    "violent": "violent violence bloody savage ruthless vicious brutal brutally",
    "frightening": "terrifying frightening scary horrifying terror terrified nightmare nightmarish",
}
MOOD_OF = {word: mood for mood, words in MOODS.items() for word in words.split()}
