#include "deliver/rescans.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/deliver/spool_fixture.h"
#include "tests/unit/filtering/fake_filter.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::deliver {
namespace {

using filtering::test::FakeFilter;
using filtering::test::packet;
using filtering::test::text;

class RescansTest : public testing::Test {
 protected:
  void SetUp() override { configure({&filter}); }

  void configure(const std::vector<FakeFilter*>& filters, const std::string& on_failure = "tempfail") {
    auto config = std::make_shared<config::Config>();
    config->hostname = "gw.example.test";
    config->paths.spool = spool.folder.path();
    std::filesystem::create_directories(storage::rescan_folder(config->paths.spool));
    config->domains["example.test"].name = "example.test";
    for (std::size_t i = 0; i < filters.size(); ++i) {
      config::Filter one;
      one.name = "f" + std::to_string(i);
      one.milter = "inet:" + filters[i]->address().text();
      one.on_failure = on_failure;
      config->filters.push_back(one);
    }
    config_ = config;
    rescans = std::make_unique<Rescans>(bench.loop, config, [this](const config::Domain& domain) { return domain.name == bypassed; });
  }

  ipc::Job keep(const std::string& content = kContent) {
    mail::Envelope envelope;
    envelope.client_address = "192.0.2.7";
    envelope.client_name = "client.test";
    envelope.helo = "helo.test";
    envelope.unfiltered = true;
    envelope.listener = "127.0.0.1:25";
    ipc::Job job = spool.keep(content, {"b@example.test"}, envelope);
    job.rescan = true;
    return job;
  }

  // What came of it; what would be sent then is in `sent`.
  Scanned run(const ipc::Job& job) {
    const auto record = spool.open(job);
    std::optional<Scanned> out;
    const auto scan = rescans->begin(*record, job, [&](const Scanned& word) { out = word; });
    EXPECT_NE(scan, nullptr);
    EXPECT_FALSE(out.has_value());
    EXPECT_TRUE(bench.until([&] { return out.has_value(); }));
    sent.clear();
    storage::ContentReader reader(scan->content());
    for (auto piece = reader.next(); piece && !piece->empty(); piece = reader.next()) sent += *piece;
    return out.value_or(Scanned{});
  }

  static constexpr const char* kContent = "Received: x\r\nX-Holdfast-Unfiltered: yes\r\nSubject: a\r\n\r\nbody\r\n";
  test::Bench bench;
  test::SpoolFixture spool;
  FakeFilter filter{bench.loop};
  config::ConfigPtr config_;
  std::unique_ptr<Rescans> rescans;
  std::string sent, bypassed;
};

TEST_F(RescansTest, WhatPassesGoesWithAnotherMark) {
  const auto word = run(keep());
  EXPECT_EQ(word.word, ipc::RescanWord::kNone);
  EXPECT_EQ(sent, "Received: x\r\nX-Holdfast-Unfiltered: rescanned\r\nSubject: a\r\n\r\nbody\r\n");
  EXPECT_EQ(filter.headers, std::vector<std::string>{"Subject:a"}) << "our own fields are not told";
  EXPECT_EQ(filter.body, "body\r\n");
  ASSERT_FALSE(filter.told.empty());
  EXPECT_TRUE(filter.told[0].starts_with("client.test|4"));
}

TEST_F(RescansTest, NobodyIsAskedAboutOtherMail) {
  ipc::Job job = keep();
  job.rescan = false;
  const auto record = spool.open(job);
  EXPECT_EQ(rescans->begin(*record, job, [](const Scanned&) {}), nullptr);
  job.rescan = true;
  job.recipients[0].address = "b@elsewhere.test";
  EXPECT_EQ(rescans->begin(*record, job, [](const Scanned&) {}), nullptr) << "no domain of ours";
  job.recipients[0].address = "b@example.test";
  bypassed = "example.test";
  EXPECT_EQ(rescans->begin(*record, job, [](const Scanned&) {}), nullptr) << "by hand";
  bypassed.clear();
  auto config = std::make_shared<config::Config>(*config_);
  config->rescan_on_drain = false;
  rescans->reload(config);
  EXPECT_EQ(rescans->begin(*record, job, [](const Scanned&) {}), nullptr);
}

TEST_F(RescansTest, ARefusalHoldsAndLaterWaits) {
  filter.answer = [](char kind, std::string_view) {
    return kind == 'E' ? std::optional(packet('y', text("550 5.7.1 Virus"))) : std::nullopt;
  };
  auto word = run(keep());
  EXPECT_EQ(word.word, ipc::RescanWord::kHold);
  EXPECT_EQ(word.reason, "rescan: f0: 550 5.7.1 Virus");
  filter.answer = [](char kind, std::string_view) {
    return kind == 'R' ? std::optional(packet('y', text("451 4.7.1 Later"))) : std::nullopt;
  };
  word = run(keep());
  EXPECT_EQ(word.word, ipc::RescanWord::kLater);
  EXPECT_EQ(word.reason, "rescan: f0: 451 4.7.1 Later");
}

TEST_F(RescansTest, TheNextMessageOfTheClientGoesByTheSameConnection) {
  run(keep());
  EXPECT_EQ(rescans->idle(), 1u);
  run(keep());
  EXPECT_EQ(filter.connections, 1);
  EXPECT_EQ(std::ranges::count(filter.stages, 'C'), 1);
  rescans->reload(std::make_shared<config::Config>(*config_));
  EXPECT_EQ(rescans->idle(), 0u);
}

TEST_F(RescansTest, AKeptConnectionThatHasEndedIsMadeAnew) {
  run(keep());
  bool refuses = true;
  filter.answer = [&](char kind, std::string_view) -> std::optional<std::string> {
    if (kind == 'M' && std::exchange(refuses, false)) return packet('Z');  // breaks the rules: as good as gone
    return std::nullopt;
  };
  EXPECT_EQ(run(keep()).word, ipc::RescanWord::kNone);
  EXPECT_EQ(filter.connections, 2);
  EXPECT_NE(sent.find("rescanned"), std::string::npos);
}

TEST_F(RescansTest, OneThatDoesNotMatterIsLeftOut) {
  FakeFilter second(bench.loop);
  configure({&filter, &second}, "accept");
  filter.answer = [](char kind, std::string_view) {
    return kind == 'M' ? std::optional(packet('y', text("451 4.7.1 Later"))) : std::nullopt;
  };
  EXPECT_EQ(run(keep()).word, ipc::RescanWord::kNone);
  EXPECT_NE(sent.find("X-Holdfast-Unfiltered: yes"), std::string::npos) << "not all have seen it";
  EXPECT_NE(second.stages.find('E'), std::string::npos);
  configure({&filter}, "accept");
  EXPECT_EQ(run(keep()).word, ipc::RescanWord::kNone) << "nobody is left";
  EXPECT_EQ(sent, kContent);
}

TEST_F(RescansTest, ADeadOneIsItsOnFailures) {
  filter.cut();
  auto word = run(keep());
  EXPECT_EQ(word.word, ipc::RescanWord::kLater);
  configure({&filter}, "reject");
  word = run(keep());
  EXPECT_EQ(word.word, ipc::RescanWord::kHold);
  EXPECT_TRUE(word.reason.starts_with("rescan: f0: 550 ")) << word.reason;
  configure({&filter}, "accept");
  EXPECT_EQ(run(keep()).word, ipc::RescanWord::kNone);
  EXPECT_EQ(sent, kContent);
}

TEST_F(RescansTest, WhatIsDestroyedMakesNoCall) {
  const ipc::Job job = keep();
  const auto record = spool.open(job);
  bool called = false;
  auto scan = rescans->begin(*record, job, [&](const Scanned&) { called = true; });
  ASSERT_TRUE(bench.until([&] { return filter.stages.contains('M'); }));
  scan.reset();
  bench.loop.later([] {});
  EXPECT_EQ(run(keep()).word, ipc::RescanWord::kNone);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace holdfast::deliver
