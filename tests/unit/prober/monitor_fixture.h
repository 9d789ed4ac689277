// A monitor, a server on loopback and a directory on disk.
#pragma once

#include "prober/monitor.h"

#include <algorithm>
#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/installation_token.h"
#include "prober/learner.h"
#include "prober/recipients.h"
#include "tests/unit/prober/folder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::prober {

using test::Folder;
using enum mail::DestinationState;
using storage::CatchAll;
using storage::RecipientRow;

constexpr std::int64_t kHour = 3600'000;

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() : server(bench.loop), resolver(bench.loop) {
    server.replies["banner"] = "220 office.test ESMTP";
    server.replies["EHLO"] = "250-office.test\r\n250-PIPELINING\r\n250 SIZE 1000";
    server.replies["MAIL"] = server.replies["RSET"] = "250 2.0.0 ok";
    server.replies["QUIT"] = "221 bye";
    server.judge = [this](const std::string& line) { return judge(line); };
    accepts = {"postmaster"};
    open();
  }

  // Recipients whose local part is in `accepts` get 250, the others `refusal`.
  std::optional<std::string> judge(const std::string& line) {
    if (!line.starts_with("RCPT")) return std::nullopt;
    const std::string local = line.substr(9, line.find('@') - 9);
    asked.push_back(local);
    return accepts.contains(local) || accepts.contains("*") ? "250 2.1.5 ok" : refusal;
  }

  void open() {
    store = std::move(*Store::open(bench.loop, folder.path()));
    shared = std::make_unique<Shared>(Shared{.loop = bench.loop,
                                             .resolver = resolver,
                                             .store = *store,
                                             .token = std::string(32, 'a'),
                                             .config = config({server.port()}),
                                             .publish = [this](const ipc::Destination& d) { told.push_back(d); }});
  }
  config::ConfigPtr config(std::vector<std::uint16_t> ports, int down_after = 1, int interval = 1) {
    config::Config made;
    made.hostname = "mx.test";
    config::Destination office{.name = "office", .servers = {}, .retry = "default", .schedule = {}};
    for (const auto port : ports) office.servers.push_back({"127.0.0.1", port});
    office.probe = {.interval = base::Seconds(interval), .down_after = down_after, .up_after = 1};
    made.destinations["office"] = office;
    config::Domain domain;
    domain.name = "example.test";
    domain.destination = "office";
    made.domains["example.test"] = domain;
    return std::make_shared<const config::Config>(std::move(made));
  }
  // With the row on disk, as after a start.
  void watch() {
    std::optional<storage::DestinationRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.destination(txn, "office"); });
    monitor = std::make_unique<Monitor>(*shared, "office", row, base::Millis(1));
  }
  void restart() {
    monitor.reset();
    store.reset();
    open();
    watch();
  }
  void learnt(const std::string& key, std::int64_t refused_ms = 0, std::int64_t age = 2 * kHour) {
    const std::int64_t now = base::to_millis(base::wall_now());
    bool done = false;
    store->submit(
        [=](storage::Directory& d, storage::WriteTxn& txn) {
          return d.put_recipient(
              txn, key,
              RecipientRow{
                  .destination = "office", .verified_ms = now - age, .learnt_ms = now - age, .refused_ms = refused_ms},
              1000);
        },
        [&] { done = true; }, true);
    ASSERT_TRUE(bench.until([&] { return done; }));
  }
  std::optional<RecipientRow> recipient(const std::string& key) {
    std::optional<RecipientRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.recipient(txn, key); });
    return row;
  }
  CatchAll catch_all() {
    std::optional<storage::DomainRow> row;
    store->read([&](const auto& d, const auto& txn) { row = d.domain(txn, "example.test"); });
    return row ? row->catch_all : CatchAll::kUnknown;
  }
  storage::DestinationRow on_disk() {
    storage::DestinationRow row;
    store->read([&](const auto& d, const auto& txn) { row = d.destination(txn, "office").value_or(row); });
    return row;
  }
  bool becomes(mail::DestinationState state) {
    return bench.until([&] { return !told.empty() && told.back().state == state; });
  }
  void report(ipc::DrainEvent event, const std::string& reason = {}) {
    monitor->drain_report(
        {.destination = "office", .since_ms = told.back().since_ms, .event = event, .reason = reason});
  }
  bool probed_again(std::size_t times = 1) {
    const std::size_t before = server.count("QUIT");
    return bench.until([&] { return server.count("QUIT") >= before + times; });
  }

  std::atomic<bool> disk_mended = false;  // outlives the writer's thread
  Folder folder;
  holdfast::test::Bench bench;
  holdfast::test::ScriptedServer server;
  net::Resolver resolver;
  std::unique_ptr<Store> store;
  std::unique_ptr<Shared> shared;
  std::unique_ptr<Monitor> monitor;
  std::vector<ipc::Destination> told;
  std::set<std::string> accepts;
  std::vector<std::string> asked;
  std::string refusal = "550 5.1.1 no such user";
};

}  // namespace holdfast::prober
