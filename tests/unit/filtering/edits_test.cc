#include "common/filtering/edits.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::filtering {
namespace {

using milter::Edit;
using storage::test::read_all;

class EditsTest : public testing::Test {
 protected:
  std::string apply(const milter::Edits& edits, std::string_view message = "From: a\r\nSubject: s\r\n\r\n..dot\r\n", std::uint64_t begins = 23) {
    storage::Content content(folder.path());
    EXPECT_TRUE(content.append(message));
    EXPECT_TRUE(apply_edits(edits, false, begins, folder.path(), content, changes));
    return read_all(content);
  }
  const storage::test::Folder folder;
  EnvelopeChanges changes;
};

TEST(BodyToWire, EndsLinesAndDoublesDots) {
  EXPECT_EQ(body_to_wire(""), "");
  EXPECT_EQ(body_to_wire("a\r\n"), "a\r\n");
  EXPECT_EQ(body_to_wire("a"), "a\r\n");
  EXPECT_EQ(body_to_wire(".\n..\r.x"), "..\r\n...\r\n..x\r\n");
  EXPECT_EQ(body_to_wire("\r\r\n\n"), "\r\n\r\n\r\n");
  EXPECT_EQ(body_to_wire("a\r\n.\r\nMAIL FROM:<x>\r\n"), "a\r\n..\r\nMAIL FROM:<x>\r\n") << "no end of data can be smuggled";
}

TEST_F(EditsTest, NothingChangesNothing) {
  EXPECT_EQ(apply({}), "From: a\r\nSubject: s\r\n\r\n..dot\r\n");
  EXPECT_TRUE(changes.empty());
}

TEST_F(EditsTest, HeadersAreAddedChangedAndDeleted) {
  EXPECT_EQ(apply({.list = {{.kind = Edit::Kind::kAddHeader, .name = "X-Spam", .value = "yes", .parameters = {}},
                            {.kind = Edit::Kind::kInsertHeader, .index = 0, .name = "Top", .value = "1", .parameters = {}},
                            {.kind = Edit::Kind::kChangeHeader, .index = 1, .name = "subject", .value = "t", .parameters = {}},
                            {.kind = Edit::Kind::kChangeHeader, .index = 1, .name = "From", .value = "", .parameters = {}}}}),
            "Top: 1\r\nsubject: t\r\nX-Spam: yes\r\n\r\n..dot\r\n");
}

TEST_F(EditsTest, ABodyTakesAnothersPlace) {
  milter::Edits edits;
  edits.body_replaced = true;
  edits.body = "new\n.body";
  EXPECT_EQ(apply(edits), "From: a\r\nSubject: s\r\n\r\nnew\r\n..body\r\n");
  edits.list = {{.kind = Edit::Kind::kAddHeader, .name = "X", .value = "y", .parameters = {}}};
  EXPECT_EQ(apply(edits), "From: a\r\nSubject: s\r\nX: y\r\n\r\nnew\r\n..body\r\n");
  EXPECT_EQ(apply(edits, "no header\r\n", 0), "X: y\r\n\r\nnew\r\n..body\r\n");
  edits.list.clear();
  EXPECT_EQ(apply(edits, "\r\nold\r\n", 2), "\r\nnew\r\n..body\r\n");
  EXPECT_EQ(apply(edits, "A: b\r\n", 6), "A: b\r\n\r\nnew\r\n..body\r\n") << "the empty line was not there";
}

TEST_F(EditsTest, AHeaderGoesBeforeABodyWithoutOne) {
  EXPECT_EQ(apply({.list = {{.kind = Edit::Kind::kAddHeader, .name = "X", .value = "y", .parameters = {}}}}, "only text\r\n", 0),
            "X: y\r\n\r\nonly text\r\n");
}

TEST_F(EditsTest, TheEnvelopeIsGathered) {
  apply({.list = {{.kind = Edit::Kind::kChangeFrom, .name = {}, .value = "<new@x.test>", .parameters = {}},
                  {.kind = Edit::Kind::kAddRcpt, .name = {}, .value = "one@x.test", .parameters = "NOTIFY=NEVER"},
                  {.kind = Edit::Kind::kAddRcpt, .name = {}, .value = "two@x.test", .parameters = {}},
                  {.kind = Edit::Kind::kDeleteRcpt, .name = {}, .value = "<Two@X.test>", .parameters = {}},
                  {.kind = Edit::Kind::kDeleteRcpt, .name = {}, .value = "b@x.test", .parameters = {}},
                  {.kind = Edit::Kind::kQuarantine, .name = {}, .value = "virus", .parameters = {}},
                  {.kind = Edit::Kind::kQuarantine, .name = {}, .value = "later", .parameters = {}}}});
  EXPECT_EQ(changes.sender, "new@x.test");
  EXPECT_EQ(changes.added, (std::vector<AddedRecipient>{{"one@x.test", "NOTIFY=NEVER"}}));
  EXPECT_EQ(changes.deleted, (std::vector<std::string>{"Two@X.test", "b@x.test"})) << "the message may have had him before";
  EXPECT_EQ(changes.quarantine, "virus");
}

}  // namespace
}  // namespace holdfast::filtering
