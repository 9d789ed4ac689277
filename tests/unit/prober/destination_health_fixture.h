// Destinations whose health the tests make and unmake; time is told in seconds.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "prober/destination_health.h"

namespace holdfast::prober {

using mail::Stage;
using enum DestinationState;

inline Now at(int seconds, int millis = 0) {
  const base::Millis t(seconds * 1000 + millis);
  return {base::Mono(t), base::Wall(t + base::Seconds(1'000'000))};
}

class DestinationHealthTest : public testing::Test {
 protected:
  static DestinationHealth make(std::vector<std::string> servers = {"a:25"}, int down_after = 3) {
    DestinationHealth made({.servers = servers, .rules = {down_after, 1}, .interval = base::Seconds(120)}, at(0));
    for (const auto& s : servers) made.set_addresses(s, {s}, at(0));
    return made;
  }
  static void fail(DestinationHealth& h, const std::string& server, int t,
                   const std::string& why = "connect: refused") {
    h.record_probe(server, server, {.stage = Stage::kConnect, .reason = why, .probe = true}, at(t));
  }
  static void pass(DestinationHealth& h, const std::string& server, int t) {
    h.record_probe(server, server, {.ok = true, .stage = Stage::kRcpt, .reason = {}, .probe = true}, at(t));
  }
  static ipc::Fact fact(Stage stage, int code = 0, bool reused = false) {
    return {.destination = "d",
            .server = "a:25",
            .address = "a:25",
            .stage = stage,
            .code = code,
            .reason = "why",
            .reused = reused};
  }
  static ipc::DrainReport report(const DestinationHealth& h, ipc::DrainEvent event, std::string reason = {}) {
    return {.destination = "d", .since_ms = base::to_millis(h.since()), .event = event, .reason = std::move(reason)};
  }
  // Down, by three failures, at second `t`.
  static DestinationHealth make_down(int t = 10) {
    auto h = make();
    for (int i = 0; i < 3; ++i) fail(h, "a:25", t);
    h.decide(at(t));
    return h;
  }
  static DestinationHealth make_draining(int t = 20) {
    auto h = make_down();
    pass(h, "a:25", t);
    h.decide(at(t));
    return h;
  }
};

}  // namespace holdfast::prober
