#include "prober/server_health.h"

#include <gtest/gtest.h>

namespace holdfast::prober {
namespace {

using mail::Stage;

constexpr const char* kA = "10.0.0.5:25";
constexpr const char* kB = "10.0.0.6:25";

Now at(int seconds, int millis = 0) {
  const base::Millis t(seconds * 1000 + millis);
  return {base::Mono(t), base::Wall(t)};
}

Evidence refused() { return {.stage = Stage::kConnect, .reason = "connect: connection refused", .probe = true}; }
Evidence passed() { return {.ok = true, .stage = Stage::kRcpt, .reason = {}, .probe = true}; }
Evidence live_failure() { return {.stage = Stage::kConnect, .reason = "connect: timed out"}; }
Evidence live_success() { return {.ok = true, .stage = Stage::kMail, .reason = {}}; }

ServerHealth server(int down_after = 3, int up_after = 1, std::vector<std::string> addresses = {kA}) {
  ServerHealth made("mx:25", {down_after, up_after}, at(0).wall);
  made.set_addresses(addresses, at(0).wall);
  return made;
}

TEST(ServerHealth, GoesDownAfterFailuresInARow) {
  auto s = server();
  s.record(kA, refused(), at(1));
  s.record(kA, refused(), at(6));
  EXPECT_TRUE(s.up());
  EXPECT_TRUE(s.unsettled());
  EXPECT_EQ(s.since(), at(0).wall);
  s.record(kA, refused(), at(11));
  EXPECT_FALSE(s.up());
  EXPECT_FALSE(s.unsettled());
  EXPECT_EQ(s.reason(), "connect: connection refused");
  EXPECT_EQ(s.since(), at(11).wall);
  EXPECT_EQ(s.failures(), 3);
}

TEST(ServerHealth, ASuccessEndsTheRow) {
  auto s = server();
  s.record(kA, refused(), at(1));
  s.record(kA, refused(), at(6));
  s.record(kA, passed(), at(11));
  EXPECT_FALSE(s.unsettled());
  s.record(kA, refused(), at(16));
  s.record(kA, refused(), at(21));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, LiveSuccessEndsTheRowOnlyAsFarAsItCame) {
  auto s = server();
  s.record(kA, refused(), at(1));
  s.record(kA, live_success(), at(2));
  EXPECT_FALSE(s.unsettled());
  // Refused at RCPT by 421: that MAIL went well elsewhere says nothing against it.
  const Evidence later{.stage = Stage::kRcpt, .reason = "RCPT: 421 busy", .probe = true};
  for (int i = 0; i < 3; ++i) {
    s.record(kA, later, at(10 + i * 5));
    s.record(kA, live_success(), at(11 + i * 5));
  }
  EXPECT_FALSE(s.up());
}

TEST(ServerHealth, FailuresOfLiveTrafficCountButNotAllOfOneMoment) {
  auto s = server();
  for (int i = 0; i < 20; ++i) s.record(kA, live_failure(), at(1, i));
  EXPECT_TRUE(s.up());
  EXPECT_EQ(s.failures(), 1);
  s.record(kA, live_failure(), at(2, 1));
  s.record(kA, refused(), at(2, 5));  // a probe of ours counts always
  EXPECT_FALSE(s.up());
}

TEST(ServerHealth, LiveTrafficAloneBringsNoneBack) {
  auto s = server(1);
  s.record(kA, refused(), at(1));
  EXPECT_FALSE(s.up());
  s.record(kA, live_success(), at(2));
  EXPECT_FALSE(s.up());
  s.record(kA, passed(), at(3));
  EXPECT_TRUE(s.up());
  EXPECT_TRUE(s.reason().empty());
}

TEST(ServerHealth, ComesBackAfterEnoughPassesInARow) {
  auto s = server(1, 3);
  s.record(kA, refused(), at(1));
  s.record(kA, passed(), at(2));
  EXPECT_TRUE(s.unsettled());
  s.record(kA, refused(), at(3));
  EXPECT_FALSE(s.unsettled());
  s.record(kA, passed(), at(4));
  s.record(kA, passed(), at(5));
  EXPECT_FALSE(s.up());
  s.record(kA, passed(), at(6));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, UpWhileOneAddressIs) {
  auto s = server(1, 1, {kA, kB});
  s.record(kA, refused(), at(1));
  EXPECT_TRUE(s.up());
  s.record(kB, refused(), at(2));
  EXPECT_FALSE(s.up());
  s.record(kB, passed(), at(3));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, UnknownAddressesAreNotCounted) {
  auto s = server(1);
  EXPECT_FALSE(s.record(kB, refused(), at(1)));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, NewAddressesOfADownServerBeginDown) {
  auto s = server(1);
  s.record(kA, refused(), at(1));
  s.set_addresses({kB}, at(2).wall);
  EXPECT_FALSE(s.up());
  EXPECT_EQ(s.reason(), "connect: connection refused");
  s.record(kB, passed(), at(3));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, ANameThatDoesNotResolveFails) {
  ServerHealth s("mx:25", {2, 1}, at(0).wall);
  s.record_unresolved("resolve: unknown", at(1));
  EXPECT_TRUE(s.up());
  s.record_unresolved("resolve: unknown", at(2));
  EXPECT_FALSE(s.up());
  EXPECT_EQ(s.reason(), "resolve: unknown");
  s.set_addresses({kA}, at(3).wall);
  EXPECT_FALSE(s.up());  // resolving is not answering
  s.record(kA, passed(), at(3));
  EXPECT_TRUE(s.up());
}

TEST(ServerHealth, OurselvesIsCertainAtOnce) {
  auto s = server(5);
  s.record(kA, {.stage = Stage::kEhlo, .reason = std::string(kPointsBack), .probe = true, .certain = true}, at(1));
  EXPECT_FALSE(s.up());
  EXPECT_EQ(s.reason(), "points back at us");
}

TEST(ServerHealth, RefusingKnownRecipientsIsDownWhateverProbesSay) {
  auto s = server();
  s.set_refuses_known(true, at(1).wall);
  EXPECT_FALSE(s.up());
  EXPECT_EQ(s.reason(), "refuses known recipients");
  s.record(kA, passed(), at(2));
  EXPECT_FALSE(s.up());
  s.set_refuses_known(false, at(3).wall);
  EXPECT_TRUE(s.up());
  EXPECT_EQ(s.since(), at(3).wall);
}

TEST(ServerHealth, RemembersAcrossARestart) {
  auto s = server(1);
  s.restore(false, "refuses known recipients", at(-100).wall);
  s.set_addresses({kA}, at(1).wall);
  s.record(kA, passed(), at(1));
  EXPECT_TRUE(s.refuses_known());
  EXPECT_FALSE(s.up());
  EXPECT_EQ(s.since(), at(-100).wall);

  auto t = server(1);
  t.restore(false, "connect: timed out", at(-100).wall);
  t.set_addresses({kA, kB}, at(1).wall);
  EXPECT_FALSE(t.up());
  t.record(kB, passed(), at(2));
  EXPECT_TRUE(t.up());
}

}  // namespace
}  // namespace holdfast::prober
