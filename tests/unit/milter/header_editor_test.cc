#include "common/milter/header_editor.h"

#include <gtest/gtest.h>

namespace holdfast::milter {
namespace {

constexpr std::string_view kHeader = "From: a@b\r\nX-A: 1\r\nSubject: two\r\n lines\r\nx-a: 2\r\n";

Edit edit(Edit::Kind kind, std::uint32_t index, std::string name, std::string value) {
  return {.kind = kind, .index = index, .name = std::move(name), .value = std::move(value), .parameters = {}};
}

std::string after(const Edit& e, bool leading_space = false) {
  HeaderEditor header(kHeader);
  header.apply(e, leading_space);
  return header.wire();
}

TEST(HeaderEditor, UnchangedItIsWhatItWas) {
  HeaderEditor header(kHeader);
  EXPECT_EQ(header.wire(), kHeader);
  EXPECT_FALSE(header.changed());
  EXPECT_EQ(HeaderEditor("A: b\r\n\r\nbody").wire(), "A: b\r\n");
  EXPECT_EQ(HeaderEditor("A: b").wire(), "A: b\r\n");
}

TEST(HeaderEditor, Adds) {
  const auto add = edit(Edit::Kind::kAddHeader, 0, "X-Spam", "yes");
  EXPECT_EQ(after(add), std::string(kHeader) + "X-Spam: yes\r\n");
  EXPECT_EQ(after(add, true), std::string(kHeader) + "X-Spam:yes\r\n");
}

TEST(HeaderEditor, Inserts) {
  EXPECT_EQ(after(edit(Edit::Kind::kInsertHeader, 0, "D", "x\n\ty")), "D: x\r\n\ty\r\n" + std::string(kHeader));
  EXPECT_EQ(after(edit(Edit::Kind::kInsertHeader, 1, "D", "x")), "From: a@b\r\nD: x\r\nX-A: 1\r\nSubject: two\r\n lines\r\nx-a: 2\r\n");
  EXPECT_EQ(after(edit(Edit::Kind::kInsertHeader, 4'000'000'000, "D", "x")), std::string(kHeader) + "D: x\r\n");
}

TEST(HeaderEditor, ChangesTheOneThatIsMeant) {
  EXPECT_EQ(after(edit(Edit::Kind::kChangeHeader, 2, "X-a", "3")), "From: a@b\r\nX-A: 1\r\nSubject: two\r\n lines\r\nX-a: 3\r\n");
  EXPECT_EQ(after(edit(Edit::Kind::kChangeHeader, 1, "subject", "one")), "From: a@b\r\nX-A: 1\r\nsubject: one\r\nx-a: 2\r\n");
  EXPECT_EQ(after(edit(Edit::Kind::kChangeHeader, 3, "X-A", "3")), std::string(kHeader) + "X-A: 3\r\n") << "one more";
}

TEST(HeaderEditor, Deletes) {
  EXPECT_EQ(after(edit(Edit::Kind::kChangeHeader, 1, "x-a", "")), "From: a@b\r\nSubject: two\r\n lines\r\nx-a: 2\r\n");
  EXPECT_EQ(after(edit(Edit::Kind::kChangeHeader, 3, "x-a", "")), kHeader);
  HeaderEditor header(kHeader);
  header.apply(edit(Edit::Kind::kChangeHeader, 3, "x-a", ""), false);
  EXPECT_FALSE(header.changed());
}

TEST(HeaderEditor, NobodyWritesAFieldThatHeDoesNotName) {
  const auto evil = [](std::string value) { return after(edit(Edit::Kind::kAddHeader, 0, "X", std::move(value))).substr(kHeader.size()); };
  EXPECT_EQ(evil("a\nBcc: b"), "X: a\r\n\tBcc: b\r\n");
  EXPECT_EQ(evil("a\r\n\r\nbody"), "X: a\r\n\tbody\r\n");
  EXPECT_EQ(evil("a\rb"), "X: a\r\n\tb\r\n");
  EXPECT_EQ(evil("a\n \nb\n"), "X: a\r\n\tb\r\n");
  EXPECT_EQ(evil("\n.\n"), "X: \r\n\t.\r\n");
  EXPECT_EQ(evil(""), "X: \r\n");
}

TEST(HeaderEditor, DotsAreDoubledOnTheWire) { EXPECT_EQ(after(edit(Edit::Kind::kInsertHeader, 0, ".A", "b")), "..A: b\r\n" + std::string(kHeader)); }

TEST(HeaderEditor, LeavesOtherChangesAlone) { EXPECT_EQ(after(edit(Edit::Kind::kQuarantine, 0, "", "why")), kHeader); }

}  // namespace
}  // namespace holdfast::milter
