#include "common/admin/status_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'795'339'013'000;

Status healthy() {
  Status s;
  s.now_ms = kNow;
  s.daemons = {{"master", 0, 10, "running", 0},
               {"qmgr", 0, 11, "running", 0},
               {"smtpd", 0, 12, "running", 0},
               {"smtpd", 1, 13, "running", 0}};
  s.destinations = {{"office", "up", "", "proxy", kNow - 3'600'000, 0, false}};
  s.domains = {{"example.test", "office", 97, false}};
  s.queue = QueueLine{.active = 0, .oldest_seconds = std::nullopt};
  s.spool = SpoolLine{40ULL << 30, 57, true};
  return s;
}

Status down() {
  Status s = healthy();
  s.destinations[0] = {"office", "down", "connect: connection refused", "pass thro'", kNow - 7'500'000, 5, false};
  s.queue = QueueLine{.messages = 5, .bytes = 12000, .deferred = 5, .active = 0, .oldest_seconds = 7400};
  return s;
}

TEST(Situation, IsOneSentence) {
  EXPECT_EQ(situation(healthy()), "All is well: mail passes straight through; nothing is kept.");
  EXPECT_EQ(situation(down()),
            "office has been down for 2h 5m (connect: connection refused); 5 messages are kept, the oldest for 2h 3m.");
}

TEST(Situation, TellsOfWhatWaitsForAPerson) {
  Status s = healthy();
  s.queue->messages = s.queue->held = 2;
  EXPECT_EQ(situation(s), "All is well: mail passes straight through; 2 messages are kept (2 held).");
}

TEST(StatusText, TellsOfClientsAndWhyTheyWereRefused) {
  Status s = healthy();
  EXPECT_EQ(status_text(s).find("clients "), std::string::npos) << "master does not answer";
  s.clients = ClientsLine{.now = 12};
  EXPECT_NE(status_text(s).find("\nclients  12 now\n"), std::string::npos) << status_text(s);
  s.clients = ClientsLine{.now = 4100, .stressed_workers = 1, .refused_connections = 2, .refused_recipients = 1,
                          .refused_kept = 2, .early_talkers = 5};
  EXPECT_NE(status_text(s).find("\nclients  4100 now; refused by a limit: 2 connections and 3 recipients; 5 spoke too "
                                "early; UNDER STRESS: time-outs are short\n"), std::string::npos) << status_text(s);
  const auto j = nlohmann::json::parse(status_json(s));
  EXPECT_EQ(j["clients"]["now"], 4100);
  EXPECT_EQ(j["clients"]["stress"], true);
  EXPECT_EQ(j["clients"]["refused_kept"], 2);
}

TEST(Situation, NamesWhatIsDownFirst) {
  Status s = healthy();
  s.destinations = {{.name = "a", .state = "paused"}, {.name = "b", .state = "down"}, {.name = "c", .state = "draining"}};
  EXPECT_EQ(situation(s), "b is down, a is paused and c is back and its mail is being handed over; nothing is kept.");
}

TEST(Situation, TellsOfQuotasAndOfAnIndexThatFails) {
  Status s = healthy();
  s.quotas = {{.name = "", .messages = 10, .bytes = 5, .max_messages = 10, .max_bytes = 0},
              {.name = "example.test", .messages = 10, .bytes = 4096, .max_messages = 11, .max_bytes = 8192}};
  s.index_works = false;
  s.reports = ReportsLine{.written = 3, .delays = 0, .suppressed = 1, .possible_duplicates = 2};
  EXPECT_EQ(situation(s),
            "the queue's index cannot be written and the quota of the queue is used up; nothing is kept.");
  const auto text = status_text(s);
  EXPECT_NE(text.find("quota    the whole queue: 10 of 10 messages: USED UP\n"
                      "quota    example.test: 10 of 11 messages, 4.0 KiB of 8.0 KiB\n"
                      "bounces  3 written, 1 suppressed; 2 messages may have been delivered twice\n"),
            text.npos)
      << text;
  const auto j = nlohmann::json::parse(status_json(s));
  EXPECT_EQ(j["quotas"][0]["full"], true);
  EXPECT_EQ(j["quotas"][1]["domain"], "example.test");
  EXPECT_EQ(j["bounces"]["suppressed"], 1);
  EXPECT_EQ(j["possible_duplicates"], 2);
}

TEST(Situation, DoesNotCallTheUnknownWell) {
  Status s = healthy();
  s.destinations[0].state.clear();
  EXPECT_EQ(situation(s), "office has not been looked at yet; nothing is kept.");
}

TEST(Situation, NamesDaemonsThatAreMissing) {
  Status s = healthy();
  s.daemons[2].state = s.daemons[3].state = "restarting";
  EXPECT_EQ(situation(s), "smtpd is restarting; nothing is kept.");
}

TEST(Situation, WithEverythingDeadStillCountsTheMail) {
  Status s = down();
  for (auto& d : s.daemons) d.state = "stopped";
  EXPECT_EQ(situation(s), "Holdfast is not running; 5 messages are kept, the oldest for 2h 3m.");
  s.queue.reset();
  EXPECT_EQ(situation(s), "Holdfast is not running; the queue cannot be read.");
}

TEST(Situation, TellsSeveralTroubles) {
  Status s = down();
  s.destinations.push_back({"branch", "draining", "", "proxy", kNow, 3, false});
  s.spool->accepting = false;
  EXPECT_EQ(
      situation(s),
      "office has been down for 2h 5m (connect: connection refused), branch is back and its mail is being handed over "
      "and the spool's disk is full and new mail is refused for now; 5 messages are kept, the oldest for 2h 3m.");
}

TEST(Situation, HostileReasonsAreHarmless) {
  Status s = down();
  s.destinations[0].reason = "banner: 554 \x1b[2J";
  EXPECT_EQ(situation(s).find('\x1b'), std::string::npos);
  EXPECT_EQ(status_text(s).find('\x1b'), std::string::npos);
}

TEST(StatusText, IsReadableAtThreeInTheMorning) {
  EXPECT_EQ(status_text(down()),
            "office has been down for 2h 5m (connect: connection refused); 5 messages are kept, the oldest for 2h 3m.\n"
            "\n"
            "DESTINATION  STATE  MODE        SINCE      QUEUED  REASON\n"
            "office       down   pass thro'  2h 5m ago       5  connect: connection refused\n"
            "\n"
            "DOMAIN        DESTINATION  COVERED  CATCH-ALL\n"
            "example.test  office          97 %  no\n"
            "\n"
            "queue    5 messages, 12 KiB; 0 active, 5 deferred, 0 held, 0 frozen; oldest 2h 3m\n"
            "spool    40 GiB free (57 %), accepting\n"
            "bounces  -\n"
            "alerts   -\n"
            "daemons  master qmgr smtpd*2 running\n");
}

TEST(StatusText, WhatIsUnknownIsADash) {
  Status s = healthy();
  s.destinations[0] = {"office", "", "", "proxy", 0, std::nullopt, false};
  s.domains[0].coverage_percent.reset();
  s.domains[0].catch_all.reset();
  s.queue->active.reset();
  s.spool.reset();
  const std::string text = status_text(s);
  EXPECT_NE(text.find("office       -      proxy  -           -  -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("example.test  office             -  -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("; - active,"), std::string::npos) << text;
  EXPECT_NE(text.find("spool    -\n"), std::string::npos) << text;
}

TEST(StatusText, WarnsOfADomainNobodyOfWhichIsCovered) {
  Status s = healthy();
  s.domains[0].coverage_percent = 0;
  EXPECT_NE(status_text(s).find("warning: if office went down now, nobody's mail for example.test would be kept\n"),
            std::string::npos);
  s.domains[0].coverage_percent.reset();
  EXPECT_EQ(status_text(s).find("warning"), std::string::npos);
}

TEST(StatusJson, HasTheContractsFields) {
  const auto j = nlohmann::json::parse(status_json(down()));
  EXPECT_EQ(j["daemons"][0],
            (nlohmann::json{{"name", "master"}, {"worker", 0}, {"pid", 10}, {"state", "running"}, {"restarts", 0}}));
  const auto& d = j["destinations"][0];
  EXPECT_EQ(d["state"], "down");
  EXPECT_EQ(d["mode"], "pass thro'");
  EXPECT_EQ(d["queued"], 5);
  EXPECT_EQ(d["since"], "2026-11-22T07:11:53Z");
  EXPECT_EQ(j["domains"][0]["coverage_percent"], 97);
  EXPECT_EQ(j["domains"][0]["catch_all"], false);
  EXPECT_EQ(j["queue"]["oldest_seconds"], 7400);
  EXPECT_EQ(j["spool"]["accepting"], true);
}

TEST(StatusJson, WhatIsUnknownIsNull) {
  Status s = healthy();
  s.destinations[0].state.clear();
  s.destinations[0].since_ms = 0;
  s.queue->active.reset();
  s.spool.reset();
  const auto j = nlohmann::json::parse(status_json(s));
  EXPECT_TRUE(j["destinations"][0]["state"].is_null());
  EXPECT_TRUE(j["destinations"][0]["since"].is_null());
  EXPECT_TRUE(j["queue"]["active"].is_null());
  EXPECT_TRUE(j["spool"].is_null());
}

TEST(Mode, IsThatOfTheDesign) {
  EXPECT_EQ(mode_text("up"), "proxy");
  EXPECT_EQ(mode_text("draining"), "proxy");
  EXPECT_EQ(mode_text("down"), "pass thro'");
  EXPECT_EQ(mode_text("paused"), "queue");
}

TEST(Status, ThePagesHeaderNamesTheMostUnusualMode) {
  const auto shown = [](const std::vector<std::string>& modes) {
    Status status;
    for (const auto& mode : modes) status.destinations.emplace_back().mode = mode;
    return overall_mode(status);
  };
  EXPECT_EQ(shown({}), "-");
  EXPECT_EQ(shown({"proxy", "proxy"}), "proxy");
  EXPECT_EQ(shown({"greylist", "proxy"}), "greylist");
  EXPECT_EQ(shown({"queue", "greylist", "proxy"}), "queue");
  EXPECT_EQ(shown({"pass thro'", "queue"}), "pass thro'");
}

}  // namespace
}  // namespace holdfast::admin
