#include "common/admin/alert_report.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdfast::admin {
namespace {

const std::string kAnswer = R"({
  "alerts": [{"id": 3, "kind": "destination_down", "subject": "office", "title": "office is down", "severity": "critical", "state": "open",
              "since": "2026-11-22T10:00:00Z", "count": 1, "cause": "said \u001b[2J", "acknowledged_by": "ann", "silenced": false},
             {"id": 2, "kind": "held", "title": "messages are held", "state": "closed", "count": 4, "acknowledged_by": null}],
  "roads": [{"road": "mail a@b.test", "ok": false, "said": "535 no", "waiting": 2, "last_sent": null},
            {"road": "command", "ok": null, "said": "", "waiting": 0}],
  "silences": [{"what": "lab", "until": "2026-11-22T12:00:00Z", "by": "ann"}]})";

TEST(AlertReport, ShowsAlertsRoadsAndSilences) {
  const auto text = alerts_text(kAnswer);
  ASSERT_TRUE(text);
  for (const char* part : {"destination_down", "open, acknowledged by ann", "office is down: said \\x1B[2J", "FAILS", "535 no", "not used yet",
                           "SILENCED", "lab"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << " in\n" << *text;
  }
}

TEST(AlertReport, SaysWhenThereIsNothing) {
  const auto text = alerts_text("{}");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "No alert is open.\n\nNo road is configured: nobody is told.\n");
}

TEST(AlertReport, LinesAreOneObjectEach) {
  const auto lines = alerts_lines(kAnswer);
  ASSERT_TRUE(lines);
  EXPECT_EQ(std::ranges::count(*lines, '\n'), 5);
  EXPECT_EQ(nlohmann::json::parse(lines->substr(0, lines->find('\n')))["type"], "alert");
}

TEST(AlertReport, OpenOnesForStatus) {
  const auto open = open_alerts_in(kAnswer);
  ASSERT_TRUE(open);
  ASSERT_EQ(open->size(), 1U);
  EXPECT_EQ(open->front().title, "office is down");
  EXPECT_TRUE(open->front().acknowledged);
}

TEST(AlertReport, ATestIsGoodWhenAllRoadsAre) {
  EXPECT_TRUE(test_report(R"({"roads": [{"road": "command", "ok": true, "said": "exit 0"}]})")->good);
  const auto bad = test_report(R"({"roads": [{"road": "command", "ok": true, "said": "exit 0"}, {"road": "mail x@y", "ok": false, "said": "535"}]})");
  EXPECT_FALSE(bad->good);
  EXPECT_NE(bad->text.find("FAILS"), std::string::npos);
}

TEST(AlertReport, WhatCannotBeUnderstoodIsNothing) {
  for (const char* text : {"", "[", "[]", "7"}) {
    EXPECT_FALSE(alerts_text(text)) << text;
    EXPECT_FALSE(test_report(text)) << text;
    EXPECT_FALSE(open_alerts_in(text)) << text;
  }
  EXPECT_TRUE(open_alerts_in(R"({"alerts": [{"id": "x", "state": 3}]})")) << "what is missing or odd is empty";
}

}  // namespace
}  // namespace holdfast::admin
