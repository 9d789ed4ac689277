#include "common/milter/protocol.h"

#include <array>
#include <utility>

namespace holdfast::milter {

namespace {

struct StageRow {
  std::string_view text;
  char command;
  std::uint32_t without, unanswered;
};

constexpr std::array<StageRow, kStages> kTable{{
    {"connect", 'C', 0x1, 0x1000},
    {"HELO", 'H', 0x2, 0x2000},
    {"MAIL", 'M', 0x4, 0x4000},
    {"RCPT", 'R', 0x8, 0x8000},
    {"DATA", 'T', 0x200, 0x10000},
    {"header", 'L', 0x20, 0x80},
    {"end of header", 'N', 0x40, 0x40000},
    {"body", 'B', 0x10, 0x80000},
    {"end of message", 'E', 0, 0},
}};

const StageRow& row(Stage s) { return kTable[std::to_underlying(s)]; }

}  // namespace

std::string_view to_text(Stage s) { return row(s).text; }
char command::of(Stage s) { return row(s).command; }
std::uint32_t step::without(Stage s) { return row(s).without; }
std::uint32_t step::unanswered(Stage s) { return row(s).unanswered; }

}  // namespace holdfast::milter
