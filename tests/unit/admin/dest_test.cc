#include "common/admin/dest_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdfast::admin {
namespace {

using nlohmann::json;
constexpr std::int64_t kNow = 1'795'339'013'000;

struct Office {
  Office() {
    config.name = "office";
    config.servers = {{"10.0.0.5", 25}, {"10.0.0.6", 25}};
    view.config = &config;
    view.mode = "proxy";
  }
  config::Destination config;
  DestinationView view;
};

TEST(Destination, ThatWasNeverLookedAtIsAllDashes) {
  Office office;
  Table table = destination_table();
  add_to(table, office.view, kNow);
  EXPECT_EQ(table.take(),
            "DESTINATION  STATE  MODE   SINCE  QUEUED  LAST PROBE  SERVERS                  REASON\n"
            "office       -      proxy  -           -  -           10.0.0.5:25 10.0.0.6:25  -\n");
  const auto j = json::parse(destination_json(office.view));
  for (const char* field : {"state", "since", "last_probe", "queued", "catch_all"}) EXPECT_TRUE(j[field].is_null()) << field;
  EXPECT_EQ(j["servers"].size(), 2U);
}

TEST(Destination, ShowsItsServersAndItsPause) {
  Office office;
  office.view.mode = "queue";
  office.view.queued = 7;
  office.view.row = storage::DestinationRow{};
  office.view.row->state = mail::DestinationState::kPaused;
  office.view.row->reason = "moving\x07 house";
  office.view.row->paused = true;
  office.view.row->paused_by = "root";
  office.view.row->paused_reason = "moving house";
  office.view.row->since_ms = kNow - 60'000;
  office.view.row->servers = {{"10.0.0.5:25", false, "connect: refused", kNow - 120'000, {"10.0.0.5:25"}}};
  const std::string text = destination_text(office.view, kNow);
  EXPECT_NE(text.find("paused        by root, until resumed: moving house\n"), std::string::npos) << text;
  EXPECT_NE(text.find("10.0.0.5:25  down   2m ago  10.0.0.5:25  connect: refused\n"), std::string::npos) << text;
  EXPECT_NE(text.find("10.0.0.6:25  -      -       -            -\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x07'), std::string::npos);
  const auto j = json::parse(destination_json(office.view));
  EXPECT_EQ(j["state"], "paused");
  EXPECT_EQ(j["servers"][0]["state"], "down");
  EXPECT_TRUE(j["paused_until"].is_null());
}

TEST(Domain, ACatchAllVerdictIsOfOneDestination) {
  config::Domain domain;
  domain.name = "example.test";
  domain.destination = "office";
  DomainView view{&domain, storage::DomainRow{}, std::nullopt, kNow};
  EXPECT_FALSE(catch_all(view));
  view.row->destination = "office";
  view.row->catch_all = storage::CatchAll::kYes;
  EXPECT_EQ(catch_all(view), true);
  view.row->destination = "elsewhere";
  EXPECT_FALSE(catch_all(view));
}

TEST(Domain, WithoutMailHasNoCoverage) {
  config::Domain domain;
  domain.name = "example.test";
  domain.destination = "office";
  const DomainView view{&domain, storage::DomainRow{}, 12, kNow};
  const auto j = json::parse(domain_json(view));
  EXPECT_TRUE(j["coverage_percent"].is_null());
  EXPECT_EQ(j["learnt"], 12);
  EXPECT_NE(domain_text(view).find("covered       -\n"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::admin
