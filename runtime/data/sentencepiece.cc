// The one file that speaks to libsentencepiece.
//
// T5's tokenizer cuts a text at blanks before it segments it, the library segments it
// whole. So a text is encoded twice: once for its normalised form, which is its pieces
// end to end, and then word by word.
#include <cstdlib>
#include <new>
#include <sentencepiece_processor.h>
#include <string>
#include <vector>

extern "C" {
#include "runtime/data/file_bytes.h"
#include "runtime/data/sentencepiece.h"
#include "runtime/data/unicode.h"
}

struct SentencePiece {
    sentencepiece::SentencePieceProcessor processor;
    SentencePieceFacts facts;
};

namespace
{
const std::string mark = "\xe2\x96\x81";
constexpr uint32_t mark_code = 0x2581;
constexpr size_t largest_model = size_t{64} << 20;

void add_ids(const SentencePiece *model, const std::string &text, TokenList *out)
{
    std::vector<int> ids;
    if (!model->processor.Encode(text, &ids).ok())
        return;
    for (int id : ids)
        token_list_add(out, id);
}

// Words end at the mark, and at blanks that the model's character map leaves as they are.
void add_words(const SentencePiece *model, const std::string &normal, TokenList *out)
{
    const std::string prefix = model->facts.adds_prefix ? "" : mark;
    size_t begin = 0, bytes;
    for (size_t at = 0; at <= normal.size(); at += bytes) {
        bool ends = at == normal.size();
        bytes = 1;
        if (!ends) {
            uint32_t code = utf8_decode(normal.data() + at, normal.size() - at, &bytes);
            ends = code == mark_code || unicode_is_space(code);
        }
        if (!ends)
            continue;
        if (at > begin)
            add_ids(model, prefix + normal.substr(begin, at - begin), out);
        begin = at + bytes;
    }
}
} // namespace

SentencePiece *sentencepiece_open(const char *path, Diags *diags)
{
    TextBuffer bytes = {};
    SentencePieceFacts facts;
    if (!file_bytes_read(path, largest_model, &bytes, diags))
        return nullptr;
    SentencePiece *model = nullptr;
    if (sentencepiece_check(path, reinterpret_cast<const unsigned char *>(bytes.bytes),
                            bytes.count, &facts, diags)) {
        std::string reason;
        try {
            model = new SentencePiece{{}, facts};
            auto status =
                model->processor.LoadFromSerializedProto({bytes.bytes, bytes.count});
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
    text_buffer_free(&bytes);
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

void sentencepiece_encode(const SentencePiece *model, const char *text, size_t len,
                          TokenList *out)
{
    if (model->facts.has_bytes) {
        // LIMIT: bytes hide the normalised form; such a model gets its texts whole.
        add_ids(model, std::string(text, len), out);
        return;
    }
    std::vector<std::string> pieces;
    if (!model->processor.Encode({text, len}, &pieces).ok())
        return;
    std::string normal;
    for (const std::string &piece : pieces)
        normal += piece;
    add_words(model, normal, out);
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
