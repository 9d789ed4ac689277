#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/admin/allowed_senders.h"
#include "common/admin/filter_look.h"
#include "common/admin/quarantine.h"
#include "common/config/bypass.h"
#include "common/config/load.h"
#include "common/filtering/trial.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'795'339'013'000;

config::Config configured(const std::string& more = "filters: [{name: scan, milter: 'inet:127.0.0.1:11332', domains: [one.test]}]\n") {
  auto out = config::load_text(
      "hostname: mx.example.test\ndestinations:\n  office: {servers: ['192.0.2.1']}\n"
      "domains:\n  one.test: {destination: office}\n  two.test: {destination: office}\n" + more, "gateway.yaml");
  EXPECT_TRUE(out) << (out ? "" : out.error().text);
  return out ? std::move(*out) : config::Config{};
}

storage::DomainRow by_hand(storage::HandWord word, std::int64_t until_ms = 0) {
  storage::DomainRow row;
  row.filtering = {.word = word, .since_ms = kNow - 1000, .until_ms = until_ms, .by = "root"};
  return row;
}

TEST(Bypass, TheHandGoesBeforeTheConfiguration) {
  auto config = configured();
  const auto& one = config.domains.at("one.test");
  EXPECT_TRUE(config::bypasses(config, one, true, std::nullopt));
  EXPECT_FALSE(config::bypasses(config, one, false, std::nullopt));
  EXPECT_TRUE(config::bypasses(config, one, false, true));
  EXPECT_FALSE(config::bypasses(config, one, true, false));
  config.filtering = "run";
  EXPECT_FALSE(config::bypasses(config, one, true, std::nullopt));
  config.domains.at("one.test").filtering = "bypass";
  EXPECT_TRUE(config::bypasses(config, one, true, std::nullopt));
}

TEST(Bypass, ALineOnlyWhereSomebodyIsAsked) {
  const auto config = configured();
  const auto& one = config.domains.at("one.test");
  const auto& two = config.domains.at("two.test");
  EXPECT_EQ(filtered_domains(config), 1U);
  EXPECT_FALSE(bypass_line(config, two, by_hand(storage::HandWord::kBypass), true, kNow)) << "nobody is asked anyway";
  EXPECT_FALSE(bypass_line(config, one, std::nullopt, false, kNow));
  const auto outage = bypass_line(config, one, std::nullopt, true, kNow);
  ASSERT_TRUE(outage);
  EXPECT_TRUE(outage->on);
  EXPECT_FALSE(outage->by_hand);
  const auto hand = bypass_line(config, one, by_hand(storage::HandWord::kBypass, kNow + 1), false, kNow);
  ASSERT_TRUE(hand);
  EXPECT_TRUE(hand->on && hand->by_hand);
  EXPECT_EQ(hand->by, "root");
  EXPECT_FALSE(bypass_line(config, one, by_hand(storage::HandWord::kBypass, kNow), false, kNow)) << "its end has come";
  const auto off = bypass_line(config, one, by_hand(storage::HandWord::kAsk), true, kNow);
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->on);
}

TEST(Bypass, WordsForProber) {
  const auto config = configured();
  EXPECT_EQ(bypass_words(config, "on", "2h", "", "").value(), (std::vector<std::string>{"on", "7200", "one.test", "two.test"}));
  EXPECT_EQ(bypass_words(config, "auto", "", "", "TWO.test").value(), (std::vector<std::string>{"auto", "", "two.test"}));
  EXPECT_EQ(bypass_words(config, "on", "", "office", "").value().size(), 4U);
  EXPECT_EQ(bypass_words(config, "maybe", "", "", "").error().kind, base::Kind::kUsage);
  EXPECT_EQ(bypass_words(config, "auto", "1h", "", "").error().kind, base::Kind::kUsage);
  EXPECT_EQ(bypass_words(config, "on", "0s", "", "").error().kind, base::Kind::kUsage);
  EXPECT_EQ(bypass_words(config, "on", "", "office", "one.test").error().kind, base::Kind::kUsage);
  EXPECT_EQ(bypass_words(config, "on", "", "nowhere", "").error().kind, base::Kind::kNotFound);
  EXPECT_EQ(bypass_words(config, "on", "", "", "nobody.test").error().kind, base::Kind::kNotFound);
}

TEST(FilterLines, FailingIsWhatAlertdHasHeard) {
  auto config = configured();
  EXPECT_EQ(filter_lines(config, std::nullopt).at(0).failing, std::nullopt) << "unknown, and not well";
  EXPECT_EQ(filter_lines(config, std::vector<AlertLine>{}).at(0).failing, false);
  const std::vector<AlertLine> open{{.since = "2026-11-22T10:02:00Z", .kind = "filter_failing", .subject = "scan", .cause = "reason: closed"}};
  const auto line = filter_lines(config, open).at(0);
  EXPECT_EQ(line.failing, true);
  EXPECT_EQ(line.cause, "reason: closed");
  EXPECT_EQ(filter_warnings({.filters = {line}, .bypasses = {}}, 1),
            (std::vector<std::string>{"the filter scan FAILS since 2026-11-22T10:02:00Z: reason: closed"}));
  config.alerts.ignore = {"filter_failing"};
  EXPECT_EQ(filter_lines(config, std::vector<AlertLine>{}).at(0).failing, std::nullopt) << "nobody would say so";
}

TEST(FilterWarnings, OneForEachCause) {
  Filtering f;
  EXPECT_TRUE(filter_warnings(f, 5).empty());
  for (const char* name : {"a.test", "b.test", "c.test", "d.test", "e.test"}) {
    f.bypasses.push_back({.domain = name, .destination = "office", .on = true, .by_hand = false, .by = {}});
  }
  EXPECT_EQ(filter_warnings(f, 5), (std::vector<std::string>{"filters are bypassed for mail of all domains while office is down"}));
  f.bypasses[4] = {.domain = "e.test", .destination = "office", .on = true, .by_hand = true, .since_ms = kNow, .until_ms = kNow + 60'000, .by = "root"};
  EXPECT_EQ(filter_warnings(f, 5),
            (std::vector<std::string>{"filters are BYPASSED BY HAND for mail of e.test, until 2026-11-22T09:17:53Z (by root)",
                                      "filters are bypassed for mail of a.test, b.test, c.test and 1 more while office is down"}));
  f.bypasses = {{.domain = "a.test", .destination = "office", .on = false, .by_hand = true, .by = "root"}};
  EXPECT_EQ(filter_warnings(f, 5), (std::vector<std::string>{"filters are asked about mail of a.test even in an outage, until it is ended (by root)"}));
}

class AllowedSenders : public testing::Test {
 protected:
  AllowedSenders() : folder(std::filesystem::temp_directory_path() / ("holdfast-allow-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~AllowedSenders() override { std::filesystem::remove_all(folder); }
  std::string text() const {
    std::ifstream in(folder / "list");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const std::filesystem::path folder;
};

TEST_F(AllowedSenders, AreWrittenOnce) {
  const std::string file = folder / "list";
  EXPECT_EQ(allow_senders(file, {"A@one.test", "b@one.test"}, "root", "today").value(), 2U);
  EXPECT_EQ(allow_senders(file, {"a@ONE.test", "c@one.test"}, "web\nuser", "today").value(), 1U);
  const auto all = text();
  EXPECT_TRUE(all.starts_with("# Senders ")) << all;
  EXPECT_TRUE(all.ends_with("A@one.test # by root, today\nb@one.test # by root, today\nc@one.test # by web\\x0Auser, today\n")) << all;
}

TEST_F(AllowedSenders, NothingThatMeansMoreThanOneAddress) {
  for (const char* bad : {"", "one.test", ".one.test", "user@", "/.*/@one.test", "/x@y/", "# a@one.test", "a b@one.test", "a@one.test\nb@two.test", "@one.test", "<>"}) {
    EXPECT_FALSE(allowable(bad)) << bad;
    EXPECT_EQ(allow_senders(folder / "list", {"good@one.test", bad}, "root", "today").error().kind, base::Kind::kData);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "list")) << "all or none";
}

TEST(Quarantine, IsWhatAFilterHadHeld) {
  storage::MessageRow row;
  row.state = storage::MessageState::kHeld;
  for (const char* reason : {"filter: zip", "rescan: scan: 550 5.7.1 No", "a filter's quarantine"}) {
    row.reason = reason;
    EXPECT_TRUE(is_quarantined(row)) << reason;
  }
  row.reason = "held by root";
  EXPECT_FALSE(is_quarantined(row));
  row.reason = "filter: zip";
  row.state = storage::MessageState::kDeferred;
  EXPECT_FALSE(is_quarantined(row));
}

TEST(Trial, FieldsThatCameAndWent) {
  constexpr const char* kBefore = "A: 1\r\nB: two\r\n more\r\nA: 1\r\n\r\nC: body\r\n";
  constexpr const char* kAfter = "A: 1\r\nB: two\r\n less\r\nX: y\r\n\r\nbody\r\n";
  EXPECT_EQ(filtering::fields_missing(kBefore, kAfter), (std::vector<std::string>{"B: two less", "X: y"}));
  EXPECT_EQ(filtering::fields_missing(kAfter, kBefore), (std::vector<std::string>{"B: two more", "A: 1"}));
}

}  // namespace
}  // namespace holdfast::admin
