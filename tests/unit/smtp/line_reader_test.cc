#include "common/smtp/line_reader.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

using Mode = LineReader::Mode;
using Status = LineReader::Status;

struct Got {
  Status status;
  std::string text;
  bool operator==(const Got&) const = default;
};

std::vector<Got> drain(LineReader& reader) {
  std::vector<Got> out;
  while (const auto line = reader.next()) {
    // What stands behind a bare LF is not reported as text: it may not be there yet.
    out.push_back({line->status, std::string(line->text)});
  }
  return out;
}

std::vector<Got> read_all(std::string_view bytes, Mode mode = Mode::kStrict, std::size_t max = 10) {
  LineReader reader(max, mode);
  reader.append(bytes);
  return drain(reader);
}

TEST(LineReader, CutsAtCrLf) {
  EXPECT_EQ(read_all("a\r\n\r\nbc\r\nd"),
            (std::vector<Got>{{Status::kLine, "a"}, {Status::kLine, ""}, {Status::kLine, "bc"}}));
}

TEST(LineReader, WaitsForTheRest) {
  LineReader reader(10, Mode::kStrict);
  reader.append("ab");
  EXPECT_FALSE(reader.next());
  reader.append("c\r");
  EXPECT_FALSE(reader.next());
  reader.append("\n");
  EXPECT_EQ(reader.next()->text, "abc");
  EXPECT_EQ(reader.buffered(), 0u);
}

TEST(LineReader, AnswersEachBareLfButReadsNothingBehindIt) {
  EXPECT_EQ(read_all("a\nb\r\nc\r\n"), (std::vector<Got>{{Status::kBareNewline, "a"}, {Status::kBareNewline, ""}, {Status::kLine, "c"}}));
  EXPECT_EQ(read_all("a\nb\nc\r\nd\r\n"),
            (std::vector<Got>{{Status::kBareNewline, "a"},
                              {Status::kBareNewline, ""},
                              {Status::kBareNewline, ""},
                              {Status::kLine, "d"}}));
  EXPECT_EQ(read_all("a\n\r\nb\r\n"), (std::vector<Got>{{Status::kBareNewline, "a"}, {Status::kLine, "b"}}));
  EXPECT_EQ(read_all("\n"), (std::vector<Got>{{Status::kBareNewline, ""}}));
}

TEST(LineReader, FindsBareCr) {
  EXPECT_EQ(read_all("a\rb\r\nc\r\n"), (std::vector<Got>{{Status::kBareNewline, "a\rb"}, {Status::kLine, "c"}}));
  EXPECT_EQ(read_all("a\r\r\n"), (std::vector<Got>{{Status::kBareNewline, "a\r"}}));
}

TEST(LineReader, CutsLongLinesAndSkipsTheRest) {
  EXPECT_EQ(read_all("0123456789\r\nx\r\n"), (std::vector<Got>{{Status::kLine, "0123456789"}, {Status::kLine, "x"}}));
  EXPECT_EQ(read_all("0123456789a\r\nx\r\n"),
            (std::vector<Got>{{Status::kTooLong, "0123456789"}, {Status::kLine, "x"}}));
  EXPECT_EQ(read_all("0123456789abc\ndef\r\nx\r\n"),
            (std::vector<Got>{{Status::kTooLong, "0123456789"}, {Status::kLine, "x"}}));
}

TEST(LineReader, LenientModeTakesLfAndLeavesCr) {
  EXPECT_EQ(read_all("a\nb\r\nc\rd\n", Mode::kLenient),
            (std::vector<Got>{{Status::kLine, "a"}, {Status::kLine, "b"}, {Status::kLine, "c\rd"}}));
  EXPECT_EQ(read_all("0123456789abc\nx\n", Mode::kLenient),
            (std::vector<Got>{{Status::kTooLong, "0123456789"}, {Status::kLine, "x"}}));
}

TEST(LineReader, CountsOctets) {
  LineReader reader(10, Mode::kLenient);
  reader.append("ab\r\n");
  EXPECT_EQ(reader.next()->octets, 4u);
  reader.append(std::string(100, 'x'));
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.skipped(), 100u);
  EXPECT_EQ(reader.buffered(), 0u);
  reader.append("y\n");
  const auto line = reader.next();
  EXPECT_EQ(line->status, Status::kTooLong);
  EXPECT_EQ(line->octets, 102u);
  EXPECT_EQ(reader.skipped(), 0u);
}

TEST(LineReader, HandsOverContent) {
  LineReader reader(10, Mode::kStrict);
  reader.append("DATA\r\nline\r\n.\r\nQUIT\r\n");
  EXPECT_EQ(reader.next()->text, "DATA");
  EXPECT_EQ(reader.rest(), "line\r\n.\r\nQUIT\r\n");
  reader.use(9);
  EXPECT_EQ(reader.next()->text, "QUIT");
}

TEST(LineReader, ShrinksOnlyWhenEmpty) {
  LineReader reader(10, Mode::kStrict);
  reader.append(std::string(100'000, 'x') + "NOOP\r\n");
  reader.use(100'000);
  reader.shrink();
  EXPECT_EQ(reader.next()->text, "NOOP");
  reader.shrink();
  EXPECT_EQ(reader.buffered(), 0u);
  reader.append("QUIT\r\n");
  EXPECT_EQ(reader.next()->text, "QUIT");
}

TEST(LineReader, TheSplitDoesNotMatter) {
  std::mt19937 random(20261122);
  const std::string_view alphabet = "ab\r\n\r\n";
  for (int round = 0; round < 3000; ++round) {
    const Mode mode = round % 2 == 0 ? Mode::kStrict : Mode::kLenient;
    std::string bytes;
    for (int i = 0; i < 60; ++i) bytes.push_back(alphabet[random() % alphabet.size()]);
    const auto whole = read_all(bytes, mode, 4);
    LineReader reader(4, mode);
    std::vector<Got> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + random() % 5;
      reader.append(std::string_view(bytes).substr(at, n));
      at += n;
      for (auto& line : drain(reader)) pieces.push_back(std::move(line));
    }
    ASSERT_EQ(whole, pieces) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace holdfast::smtp
