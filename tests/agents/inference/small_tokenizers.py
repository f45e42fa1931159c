"""Tokenizers built as those of known families are, small and learnt from a few lines here."""

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

LINES = [
    "You use a movie recommender. You watch across all genres.",
    "PROFILE: I gave 3.3 on average, -0.5 next to others. I like Comedy +0.4, Drama +0.1.",
    "TASK: Rate the movie as this user: 1 hated, 2 disliked, 3 neutral, 4 liked, 5 loved.",
    "MEMORY: Living in Oblivion (1995) Comedy, others 3.6. I gave 4: good Comedy.",
    "ALIKE 0.2: own 3.6, apart -0.1. TASTE +0.2. Chosen. AVERAGE 3.6 from 1.",
    *(f"RATING: {stars} RATING:{stars}" for stars in range(6)),
]
_GPT2_LIKE = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def gpt2():
    """Byte-level pieces by GPT-2's pattern; ``" 4"`` is one token."""
    made = _byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    return _wrapped(made, bos_token="<|endoftext|>", eos_token="<|endoftext|>")


def smollm2():
    """Every digit a piece of its own before the byte-level pattern."""
    digits = pre_tokenizers.Digits(individual_digits=True)
    own = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made = _byte_level(pre_tokenizers.Sequence([digits, own]))
    return _wrapped(made, bos_token="<|im_start|>", eos_token="<|im_end|>")


def qwen2():
    """One digit a piece; no token begins a text."""
    made = _byte_level(_by_pattern("{1}"))
    made.normalizer = normalizers.NFC()
    return _wrapped(made, eos_token="<|im_end|>")


def llama3():
    """Up to three digits a piece; a token begins every text."""
    made = _byte_level(_by_pattern("{1,3}"))
    return _wrapped(_begun(made, "<|begin_of_text|>"), bos_token="<|begin_of_text|>")


def llama2():
    """Sentence pieces: a blank before the text, blanks written as ``▁``, a token that begins it."""
    made = _sentence_pieces()
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    return _wrapped(_begun(made, "<s>"), bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def phi3():
    """As Llama 2, without a beginning, and with added tokens that swallow the blanks behind."""
    made = _sentence_pieces()
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.add_special_tokens([AddedToken("<|end|>", rstrip=True, normalized=False)])
    return _wrapped(made, bos_token="<s>", eos_token="<|end|>", unk_token="<unk>")


def gemma():
    """Blanks written as ``▁``, none added; pieces end with the blank behind a word."""
    made = _sentence_pieces()
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return _wrapped(_begun(made, "<bos>"), bos_token="<bos>", eos_token="<eos>", unk_token="<unk>")


def colon_and_blank():
    """One token for a colon and the blank behind it: no digit follows a blank of its own."""
    made = _sentence_pieces(lines=[*LINES * 3, *(f"a: b{n}" for n in range(50))], whole=True)
    made.normalizer = normalizers.Replace(" ", "▁")
    return _wrapped(made, bos_token="<s>", unk_token="<unk>")


FAMILIES = {
    "GPT-2": gpt2,
    "SmolLM2": smollm2,
    "Qwen2": qwen2,
    "Llama 3": llama3,
    "Llama 2": llama2,
    "Phi-3": phi3,
    "Gemma": gemma,
}


def _by_pattern(digits):
    pattern = Regex(_GPT2_LIKE.replace("DIGITS", digits))
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _byte_level(pre_tokenizer):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizer, decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, show_progress=False, initial_alphabet=alphabet)
    made.train_from_iterator(LINES, trainer)
    return made


def _sentence_pieces(lines=LINES, whole=False):
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    cut = [pre_tokenizers.Digits(individual_digits=True)]
    first = pre_tokenizers.Metaspace(prepend_scheme="always", split=not whole)
    made.pre_tokenizer = pre_tokenizers.Sequence([first, *cut])
    special = ["<unk>", "<s>", "</s>", "<bos>", "<eos>", *(f"<0x{b:02X}>" for b in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=600, show_progress=False, special_tokens=special)
    made.train_from_iterator(lines, trainer)
    made.pre_tokenizer = None
    blanks = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    made.decoder = decoders.Sequence(blanks)
    return made


def _begun(made, token):
    made.add_special_tokens([token])
    made.post_processor = processors.TemplateProcessing(
        single=f"{token} $A", special_tokens=[(token, made.token_to_id(token))]
    )
    return made


def _wrapped(made, **tokens):
    return PreTrainedTokenizerFast(tokenizer_object=made, **tokens)
