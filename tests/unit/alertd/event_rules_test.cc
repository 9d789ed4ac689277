#include "alertd/event_rules.h"

#include <gtest/gtest.h>

#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

ipc::Event event(std::string name, std::vector<ipc::EventFact> facts = {}) {
  return {.name = std::move(name), .facts = std::move(facts), .at_ms = 1, .number = 1, .dropped = 0};
}

TEST(EventRules, AnEventRaisesOrEndsItsAlert) {
  EXPECT_EQ(effect_of(event("quota_reached", {{"domain", "example.test"}}), "qmgr 0"),
            (EventEffect{.kind = "quota_reached", .subject = "example.test", .cause = "", .raised = true}));
  EXPECT_EQ(effect_of(event("quota_free", {{"domain", "example.test"}}), "qmgr 0"),
            (EventEffect{.kind = "quota_reached", .subject = "example.test", .cause = "", .raised = false}));
  EXPECT_EQ(effect_of(event("index_fails", {{"reason", "disk full"}}), "qmgr 0"),
            (EventEffect{.kind = "index_fails", .subject = "", .cause = "reason: disk full", .raised = true}));
}

TEST(EventRules, WhoSaidItIsWhatSpoolTroubleIsAbout) {
  EXPECT_EQ(effect_of(event("spool_fails", {{"reason", "EIO"}}), "smtpd 1")->subject, "smtpd 1");
  EXPECT_EQ(effect_of(event("spool_works"), "smtpd 1")->raised, false);
}

TEST(EventRules, FactsThatAreNotTheSubjectAreTheCause) {
  const auto effect = effect_of(event("held", {{"queue_id", "3F"}, {"destination", "office"}, {"reason", "550 spam"}}), "qmgr 0");
  EXPECT_EQ(effect->subject, "office");
  EXPECT_EQ(effect->cause, "queue_id: 3F, reason: 550 spam");
}

TEST(EventRules, AFilterIsWhatItsTroubleIsAbout) {
  const auto failing = effect_of(event("filter_failing", {{"filter", "rspamd"}, {"reason", "connection refused"}}), "smtpd 1");
  EXPECT_EQ(failing, (EventEffect{.kind = "filter_failing", .subject = "rspamd", .cause = "reason: connection refused", .raised = true}));
  const auto works = effect_of(event("filter_works", {{"filter", "rspamd"}}), "smtpd 0");
  EXPECT_EQ(works, (EventEffect{.kind = "filter_failing", .subject = "rspamd", .cause = "", .raised = false}));
}

TEST(EventRules, OthersAreNoAlert) {
  EXPECT_EQ(effect_of(event("discarded", {{"queue_id", "3F"}}), "qmgr 0"), std::nullopt);
  EXPECT_EQ(effect_of(event(""), "qmgr 0"), std::nullopt);
}

TEST(EventRules, EveryEffectIsOfAKnownKind) {
  for (const char* name : {"spool_reserve_reached", "spool_reserve_free", "spool_fails", "spool_works", "index_fails", "index_works",
                           "spool_damage", "quota_reached", "quota_free", "frozen", "held", "daemon_died", "possible_duplicate",
                           "clock_jump", "drain_stopped", "filter_failing", "filter_works"}) {
    const auto effect = effect_of(event(name), "x 0");
    ASSERT_TRUE(effect) << name;
    const auto* kind = config::find_alert_kind(effect->kind);
    ASSERT_NE(kind, nullptr) << name;
    EXPECT_TRUE(effect->raised || kind->lasting) << name << " ends what has no end";
  }
}

}  // namespace
}  // namespace holdfast::alertd
