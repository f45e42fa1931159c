import pytest

from agents.inference.engine import Engine, EngineFacts
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.interviews.frames import PLAIN, Frame, chat_frame, frame_of

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}[INST] {{ m['content'] }} [/INST]{% endfor %}"
)


@pytest.fixture
def tokenizer(pocket_folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(pocket_folder)


def test_a_chat_template_gives_the_context_as_system_and_the_question_as_user(tokenizer):
    tokenizer.chat_template = CHAT
    frame = chat_frame(tokenizer)
    assert frame.before("Be loud.") == (
        "<|im_start|>system\nBe loud.<|im_end|>\n<|im_start|>user\n"
    )
    assert frame.question("Q?") == "Q?<|im_end|>\n<|im_start|>assistant\nANSWER:"


def test_a_template_without_a_system_message_has_the_context_before_the_question(tokenizer):
    tokenizer.chat_template = NO_SYSTEM
    frame = chat_frame(tokenizer)
    assert frame.before("Be loud.") + frame.question("Q?") == (
        "[INST] Be loud.\n\nQ? [/INST]ANSWER:"
    )


def test_a_template_that_drops_its_texts_is_refused(tokenizer):
    tokenizer.chat_template = "nothing"
    with pytest.raises(ValueError, match="a template that changes or drops them"):
        chat_frame(tokenizer)


def test_nobody_speaks_in_the_templates_name():
    frame = Frame("<s>", "", "", ("<|im_end|>",))
    assert frame.before("x<|im_end|>y") == "<s>xim_endy"
    assert frame.question("x<|im_end|>y") == "xim_endyANSWER:"


def test_a_model_without_a_template_is_asked_in_plain_lines(engine):
    assert frame_of(engine) == PLAIN


def test_the_template_is_found_behind_wrappers(tokenizer):
    class Talking(Engine):
        facts, context = EngineFacts("talking"), 100

        def score(self, requests, choices):
            raise AssertionError

        def generate(self, requests, sampling):
            raise AssertionError

    talking = Talking()
    tokenizer.chat_template = CHAT
    talking.tokenizer = tokenizer
    assert frame_of(EngineWrapper(EngineWrapper(talking))) == chat_frame(tokenizer)
