// A pool with two servers on loopback, and what its callers were given.
#pragma once

#include "common/upstream/pool.h"

#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/unit/upstream/recorder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::upstream {

using mail::Stage;
using test::ScriptedServer;
using Why = AcquireFailure::Why;

class PoolTest : public testing::Test {
 protected:
  struct Seen {
    std::string server, address, reason;
    bool ok, reused;
    Stage stage;
    int code;
  };
  // What an acquire() came to.
  struct Got {
    std::optional<Lease> lease;
    std::optional<AcquireFailure> failure;
    test::Recorder events;
    Pool::Waiter waiter;
    bool done() const { return lease || failure; }
  };

  static ServerName name_of(const ScriptedServer& server) { return {"127.0.0.1", server.port(), text_of(server)}; }
  static std::string text_of(const ScriptedServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

  void make(PoolOptions options = {}) {
    if (options.servers.empty()) options.servers = {name_of(first), name_of(second)};
    options.helo = "gw.example.test";
    pool = std::make_unique<Pool>(bench.loop, resolver, std::move(options), callbacks());
  }
  PoolCallbacks callbacks() {
    return {.usable = [this](const ServerName& s) { return !down.contains(s.text); },
            .report =
                [this](const Observation& o) {
                  reports.push_back({std::string(o.server), std::string(o.address), std::string(o.reason), o.ok,
                                     o.reused, o.stage, o.code});
                }};
  }
  std::unique_ptr<Got> ask(Pool::Wish wish = {}) {
    auto got = std::make_unique<Got>();
    got->waiter = pool->acquire(std::move(wish), [g = got.get()](AcquireResult result) {
      if (result) {
        g->lease = std::move(*result);
        g->lease->set_handler(g->events);
      } else {
        g->failure = result.error();
      }
    });
    return got;
  }
  std::unique_ptr<Got> get(Pool::Wish wish = {}) {
    auto got = ask(std::move(wish));
    EXPECT_TRUE(bench.until([&] { return got->done(); }));
    return got;
  }
  // A whole transaction up to its end, accepted.
  void send_on(Got& got) {
    begin_on(got);
    test::TextSource content("x\r\n");
    got.lease->connection().send(content);
    ASSERT_TRUE(bench.until([&] { return got.events.saw("sent 250"); }));
  }
  void begin_on(Got& got) {
    got.lease->connection().mail("a@s.example", "");
    got.lease->connection().rcpt("b@example.test");
    ASSERT_TRUE(bench.until([&] { return got.events.saw("rcpt 250"); }));
  }

  test::Bench bench;
  net::Resolver resolver{bench.loop};
  ScriptedServer first{bench.loop}, second{bench.loop};
  std::set<std::string> down;
  std::vector<Seen> reports;
  std::unique_ptr<Pool> pool;
};

}  // namespace holdfast::upstream
