#include "common/admin/refused_list.h"

#include <fstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'795'339'013;
const std::string kStranger =
    "Nov 22 10:00:00 mx holdfast/smtpd[70]: NOQUEUE: reject: RCPT from h.example[192.0.2.10]: 451 4.4.1 "
    "<Stranger@example.test>: Recipient address rejected: the mail server is not reachable, try again later; "
    "from=<a@s.example> to=<Stranger@example.test> proto=ESMTP helo=<h.example>";

TEST(RefusedList, ARejectionIsRead) {
  const auto rejection = rejection_in(kStranger, kNow);
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->reply, "451 4.4.1");
  EXPECT_EQ(rejection->why, "Recipient address rejected: the mail server is not reachable, try again later");
  EXPECT_EQ(rejection->sender, "a@s.example");
  EXPECT_EQ(rejection->recipient, "Stranger@example.test");
  EXPECT_GT(rejection->when_s, kNow - 366 * 86400);
}

TEST(RefusedList, OneOfAConnectionHasNoAddresses) {
  const auto rejection = rejection_in(
      "Nov 22 10:00:00 mx holdfast/smtpd[70]: NOQUEUE: reject: CONNECT from unknown[192.0.2.10]: 421 Too many clients; proto=SMTP", kNow);
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->reply, "421");
  EXPECT_EQ(rejection->why, "Too many clients");
  EXPECT_EQ(rejection->recipient, "");
}

// As mail::events::reject() writes what a filter says.
TEST(RefusedList, AFiltersWordIsOne) {
  const std::string begin = "Nov 22 10:00:00 mx holdfast/smtpd[70]: ";
  auto rejection = rejection_in(begin + "NOQUEUE: milter-reject: RCPT from h.example[192.0.2.10]: 451 4.4.1 <b@x.test>: Try later; "
                                        "from=<a@s.example> to=<b@x.test> proto=ESMTP helo=<h.example>", kNow);
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->reply, "451 4.4.1");
  EXPECT_EQ(rejection->recipient, "b@x.test");
  RefusedList list;
  list.add(*rejection);
  EXPECT_TRUE(list.list().empty()) << "it says nothing of the destination";
  for (const std::string who : {"20000000001: milter-reject", "20000000001: reject", "NOQUEUE: milter-reject"}) {
    rejection = rejection_in(begin + who + ": END-OF-MESSAGE from h.example[192.0.2.10]: 554 5.7.1 Gtube pattern; "
                                           "from=<a@s.example> proto=ESMTP helo=<h.example>", kNow);
    ASSERT_TRUE(rejection) << who;
    EXPECT_EQ(rejection->reply, "554 5.7.1") << who;
    EXPECT_EQ(rejection->why, "Gtube pattern") << who;
    EXPECT_EQ(rejection->sender, "a@s.example") << who;
  }
}

TEST(RefusedList, OtherLinesAreNone) {
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/smtpd[70]: warning: reject: RCPT from h[1]: 550 5.1.1 no", kNow));
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/smtpd[70]: 20000000001: milter-hold: END-OF-MESSAGE from h[1]: 550 no", kNow));
  EXPECT_FALSE(rejection_in("", kNow));
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/smtpd[70]: NOQUEUE: reject: RCPT from h", kNow));
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/smtpd[70]: NOQUEUE: reject: RCPT from h[1]: x", kNow));
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/qmgr[70]: NOQUEUE: reject: RCPT from h[1]: 550 5.1.1 <a>: no", kNow));
  EXPECT_FALSE(rejection_in("Nov 22 10:00:00 mx holdfast/smtpd[70]: 20000000001: removed", kNow));
}

Rejection of(std::string recipient, std::int64_t when, std::string reply = "451 4.4.1") {
  return {.when_s = when, .reply = std::move(reply), .why = "", .sender = fmt::format("s{}@x", when), .recipient = std::move(recipient)};
}

TEST(RefusedList, CountsEachAddressInAnyCase) {
  RefusedList list;
  list.add(of("a@example.test", 10));
  list.add(of("A@example.test", 30));
  list.add(of("a@example.test", 20));
  list.add(of("b@example.test", 25));
  list.add(of("c@example.test", 26, "550 5.1.1"));
  list.add(of("", 27));
  const auto found = list.list();
  ASSERT_EQ(found.size(), 2U) << "refused for good, or of nobody, is another matter";
  EXPECT_EQ(found[0].address, "A@example.test");
  EXPECT_EQ(found[0].times, 3U);
  EXPECT_EQ(found[0].last_s, 30);
  EXPECT_EQ(found[0].last_sender, "s30@x");
  EXPECT_EQ(found[1].address, "b@example.test");
}

TEST(RefusedList, ADictionaryAttackDoesNotFillTheMemory) {
  RefusedList list;
  for (std::int64_t i = 0; i < 25'000; ++i) list.add(of(fmt::format("u{}@example.test", i), i));
  const auto found = list.list();
  EXPECT_LE(found.size(), RefusedList::kMost);
  EXPECT_GT(found.size(), RefusedList::kMost * 8 / 10);
  EXPECT_EQ(found.front().address, "u24999@example.test");
}

TEST(RefusedList, GoesOverAllLogsOfSmtpd) {
  storage::test::Folder folder;
  std::ofstream(folder.path() + "/smtpd.log.1") << kStranger << "\n";
  std::ofstream(folder.path() + "/smtpd.log") << kStranger << "\nnonsense 451 4.4.1\n";
  std::ofstream(folder.path() + "/qmgr.log") << kStranger << "\n";
  const auto found = refused_while_down(folder.path());
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().times, 2U);
  const auto text = refused_text(*found, 10, kNow * 1000);
  EXPECT_NE(text.find("Stranger@example.test"), std::string::npos);
  EXPECT_NE(refused_json(found->front()).find("\"times\":2"), std::string::npos);
  EXPECT_EQ(refused_while_down(folder.path(), [] { return false; }).error().kind, base::Kind::kTemporary);
  EXPECT_FALSE(refused_while_down(folder.path() + "/none"));
}

}  // namespace
}  // namespace holdfast::admin
