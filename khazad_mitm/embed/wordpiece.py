"""The tokenizer of the bundled model: BERT word pieces, lower case, without truncation.

Built from `minilm/vocab.txt` so that it agrees token for token with the `tokenizer.json` of
sentence-transformers/all-MiniLM-L6-v2, except that it neither cuts nor pads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = Path(__file__).parent / "minilm" / "vocab.txt"
UNKNOWN = "[UNK]"


def word_piece_tokenizer() -> Tokenizer:
    """A fresh tokenizer; thread-safe once built."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    vocabulary = WordPiece.read_file(str(VOCABULARY))
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.add_special_tokens(["[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return tokenizer
