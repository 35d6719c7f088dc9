// Calls SentencePiece's trainer.
#include <cstdio>
#include <sentencepiece_trainer.h>

extern "C" {
#include "tests/runtime/data/tokenizer/train_sentencepiece.h"
}

bool train_sentencepiece(const char *arguments)
{
    const auto status = sentencepiece::SentencePieceTrainer::Train(arguments);
    if (!status.ok())
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return status.ok();
}
