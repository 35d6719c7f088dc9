// The one file that speaks to libsentencepiece.
//
// T5's tokenizer cuts a text at blanks before it segments it, the library segments it
// whole. So a text is encoded twice: once for its normalised form, which is its pieces
// end to end, and then word by word. Where blanks are more than the ends of words (there
// is no dummy prefix, or several stay several) the library's own pieces are what counts.
#include <cstdlib>
#include <new>
#include <sentencepiece_processor.h>
#include <string>
#include <vector>

extern "C" {
#include "ir/base/files.h"
#include "runtime/data/tokenizer/sentencepiece.h"
#include "runtime/data/text/unicode.h"
}

struct SentencePiece {
    sentencepiece::SentencePieceProcessor processor;
    SentencePieceFacts facts;
};

namespace
{
const std::string mark = "\xe2\x96\x81";
constexpr size_t largest_model = size_t{64} << 20;

void add_ids(const SentencePiece *model, const std::string &text, TokenList *out)
{
    std::vector<int> ids;
    if (!model->processor.Encode(text, &ids).ok())
        return;
    for (int id : ids)
        token_list_add(out, id);
}

// LIMIT: bytes hide the normalised form; such a model gets its texts whole.
bool cuts_words(const SentencePiece *model)
{
    const SentencePieceFacts &facts = model->facts;
    return facts.adds_prefix && facts.drops_blanks && facts.escapes_blanks &&
           !facts.has_bytes;
}
} // namespace

SentencePiece *sentencepiece_open(const char *path, Diags *diags)
{
    size_t len;
    SentencePieceFacts facts;
    char *bytes = file_read(path, largest_model, &len, diags);
    if (!bytes)
        return nullptr;
    SentencePiece *model = nullptr;
    if (sentencepiece_check(path, reinterpret_cast<const unsigned char *>(bytes), len,
                            &facts, diags)) {
        std::string reason;
        try {
            model = new SentencePiece{{}, facts};
            auto status = model->processor.LoadFromSerializedProto({bytes, len});
            if (!status.ok())
                reason = status.ToString();
        } catch (const std::exception &error) {
            reason = error.what();
        }
        if (!reason.empty()) {
            Loc loc = {path, 0, 0};
            diag_error(diags, loc, "libsentencepiece refuses it: %s", reason.c_str());
            delete model;
            model = nullptr;
        }
    }
    free(bytes);
    return model;
}

void sentencepiece_free(SentencePiece *model)
{
    delete model;
}

int32_t sentencepiece_size(const SentencePiece *model)
{
    return model->processor.GetPieceSize();
}

int32_t sentencepiece_id(const SentencePiece *model, SentencePieceId which)
{
    switch (which) {
    case SENTENCEPIECE_pad:
        return model->processor.pad_id();
    case SENTENCEPIECE_eos:
        return model->processor.eos_id();
    case SENTENCEPIECE_bos:
        return model->processor.bos_id();
    case SENTENCEPIECE_unk:
        break;
    }
    return model->processor.unk_id();
}

const char *sentencepiece_piece(const SentencePiece *model, int32_t id)
{
    return model->processor.IdToPiece(id).c_str();
}

void sentencepiece_normalize(const SentencePiece *model, const char *text, size_t len,
                             TextBuffer *out)
{
    std::vector<std::string> pieces;
    if (!cuts_words(model)) {
        text_buffer_add(out, text, len);
        return;
    }
    if (!model->processor.Encode({text, len}, &pieces).ok())
        return;
    std::string normal;
    for (const std::string &piece : pieces)
        normal += piece;
    for (size_t at = 0; at < normal.size();) {
        bool is_blank = normal.compare(at, mark.size(), mark) == 0;
        if (!is_blank)
            text_buffer_add(out, &normal[at], 1);
        else if (at > 0)
            text_buffer_add(out, " ", 1);
        at += is_blank ? mark.size() : 1;
    }
}

// Words end at blanks, and at those that the model's character map leaves as they are.
void sentencepiece_encode(const SentencePiece *model, const char *text, size_t len,
                          TokenList *out)
{
    if (!cuts_words(model)) {
        add_ids(model, std::string(text, len), out);
        return;
    }
    size_t begin = 0, bytes;
    for (size_t at = 0; at <= len; at += bytes) {
        bool ends = at == len;
        bytes = 1;
        if (!ends)
            ends = unicode_is_space(utf8_decode(text + at, len - at, &bytes));
        if (!ends)
            continue;
        if (at > begin)
            add_ids(model, std::string(text + begin, at - begin), out);
        begin = at + bytes;
    }
}

bool sentencepiece_drops_start(const SentencePiece *model)
{
    return model->facts.adds_prefix || model->facts.drops_blanks;
}

int32_t sentencepiece_find(const SentencePiece *model, const char *piece)
{
    int32_t id = model->processor.PieceToId(piece);
    return model->processor.IdToPiece(id) == piece ? id : -1;
}

void sentencepiece_decode(const SentencePiece *model, int32_t id, TextBuffer *out)
{
    const auto &processor = model->processor;
    if (processor.IsControl(id) || processor.IsUnknown(id))
        return;
    const std::string &piece = processor.IdToPiece(id);
    if (processor.IsByte(id) && piece.size() == 6) { // <0xHH>
        const char byte =
            static_cast<char>(std::strtoul(piece.substr(3, 2).c_str(), nullptr, 16));
        text_buffer_add(out, &byte, 1);
    } else {
        text_buffer_add(out, piece.data(), piece.size());
    }
}
