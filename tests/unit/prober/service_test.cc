// The whole service over its socket.
#include "prober/service.h"

#include <optional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/prober/folder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::prober {
namespace {

using holdfast::test::Bench;
using holdfast::test::ScriptedServer;
using nlohmann::json;

class Peer : public ipc::ChannelHandler {
 public:
  Peer(net::Loop& loop, const std::string& path) : client(loop, path, {.name = "smtpd"}, *this) { client.start(); }
  void on_peer(ipc::Channel&) override { connected = true; }
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override {
    if (auto told = message.as<ipc::Destination>()) states.push_back(*told);
    if (auto reply = message.as<ipc::ControlReply>()) replies.push_back(*reply);
    return true;
  }
  void on_gone(ipc::Channel&) override { ++gone; }
  const ipc::Destination* last(const std::string& name) const {
    const ipc::Destination* found = nullptr;
    for (const auto& state : states) found = state.name == name ? &state : found;
    return found;
  }

  bool connected = false;
  int gone = 0;
  std::vector<ipc::Destination> states;
  std::vector<ipc::ControlReply> replies;
  ipc::Client client;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() : server(bench.loop) {
    server.replies = {{"banner", "220 hi"},     {"EHLO", "250 hi"}, {"MAIL", "250 ok"},
                      {"RCPT", "550 5.1.1 no"}, {"RSET", "250 ok"}, {"QUIT", "221 bye"}};
    begin();
  }
  config::ConfigPtr config(const std::vector<std::string>& names) {
    config::Config made;
    made.hostname = "mx.test";
    made.paths.state = made.paths.run = folder.path();
    for (const auto& name : names) {
      config::Destination destination{
          .name = name, .servers = {{"127.0.0.1", server.port()}}, .retry = "default", .schedule = {}};
      destination.probe = {.interval = base::Seconds(1), .down_after = 1, .up_after = 1};
      made.destinations[name] = destination;
      config::Domain domain;
      domain.name = name + ".test";
      domain.destination = name;
      made.domains[domain.name] = domain;
    }
    return std::make_shared<const config::Config>(std::move(made));
  }
  void begin() {
    context.emplace(
        daemon::Context{.loop = bench.loop, .config = config({"office", "plant"}), .listeners = {}, .name = "prober"});
    auto started = start(*context);
    ASSERT_TRUE(started) << started.error().text;
    service = std::move(*started);
    peer.emplace(bench.loop, context->socket("prober"));
    ASSERT_TRUE(bench.until([&] { return peer->last("office") != nullptr && peer->last("plant") != nullptr; }));
  }
  ipc::ControlReply ask(std::string command, std::vector<std::string> words = {}) {
    const std::size_t before = peer->replies.size();
    peer->client.send(ipc::Control{std::move(command), std::move(words), "root"});
    if (!bench.until([&] { return peer->replies.size() > before; })) return {.exit = -1, .json = {}, .text = {}};
    return peer->replies.back();
  }

  test::Folder folder;
  Bench bench;
  ScriptedServer server;
  std::optional<daemon::Context> context;
  std::unique_ptr<daemon::Service> service;
  std::optional<Peer> peer;
};

TEST_F(ServiceTest, TellsAllStatesAfterTheHello) {
  EXPECT_EQ(peer->states.size(), 2U);
  EXPECT_EQ(peer->last("office")->state, mail::DestinationState::kUp);
}

TEST_F(ServiceTest, PauseAndResumeByControl) {
  const auto paused = ask("dest.pause", {"office", "moving house", "3600"});
  EXPECT_EQ(paused.exit, 0);
  const json shown = json::parse(paused.json);
  EXPECT_EQ(shown["state"], "paused");
  EXPECT_EQ(shown["reason"], "moving house");
  EXPECT_FALSE(shown["paused_until"].is_null());
  EXPECT_EQ(peer->last("office")->state, mail::DestinationState::kPaused);
  EXPECT_EQ(peer->last("plant")->state, mail::DestinationState::kUp);
  EXPECT_EQ(json::parse(ask("dest.resume", {"office"}).json)["state"], "draining");
}

TEST_F(ServiceTest, ForcedByControl) {
  const json down = json::parse(ask("dest.force", {"office", "down"}).json);
  EXPECT_EQ(down["state"], "down");
  EXPECT_TRUE(down["reason"].get<std::string>().starts_with("forced down by "));
  EXPECT_EQ(peer->last("office")->state, mail::DestinationState::kDown);
  EXPECT_EQ(json::parse(ask("dest.force", {"office", "up"}).json)["state"], "up");
  EXPECT_EQ(ask("dest.force", {"office", "auto"}).exit, 0);
  EXPECT_EQ(ask("dest.force", {"office", "sideways"}).exit, 64);
  EXPECT_EQ(ask("dest.force", {"office"}).exit, 64);
}

TEST_F(ServiceTest, ProbesOnDemand) {
  server.stop();
  const json shown = json::parse(ask("dest.probe", {"office"}).json);
  EXPECT_EQ(shown["state"], "down");
  EXPECT_EQ(shown["servers"][0]["state"], "down");
  EXPECT_FALSE(shown["last_probe"].is_null());
}

TEST_F(ServiceTest, WrongQuestions) {
  EXPECT_EQ(ask("dest.probe").exit, 64);
  EXPECT_EQ(ask("dest.probe", {"nowhere"}).exit, 67);
  EXPECT_EQ(ask("dest.explode", {"office"}).exit, 64);
  EXPECT_EQ(ask("dest.pause", {"office", "", "soon"}).exit, 64);
  EXPECT_EQ(ask("dest.pause", {"office", "", "99999999999999"}).exit, 64);
  EXPECT_EQ(ask("make.coffee").exit, 64);
  EXPECT_EQ(ask("rcpt.add").exit, 64);
  EXPECT_EQ(ask("rcpt.add", {"nobody"}).exit, 64);
  EXPECT_EQ(ask("rcpt.add", {"a@foreign.test"}).exit, 67);
  EXPECT_EQ(ask("rcpt.explode", {"a@office.test"}).exit, 64);
  EXPECT_EQ(ask("rcpt.remove", {"a@office.test"}).exit, 67);
  EXPECT_EQ(json::parse(ask("prober.status").json)["destinations"].size(), 2U);
}

TEST_F(ServiceTest, RecipientsByControl) {
  EXPECT_EQ(ask("rcpt.add", {"a@office.test", "b@office.test"}).json, R"({"changed":2})");
  EXPECT_EQ(ask("rcpt.add", {"a@office.test"}).json, R"({"changed":0})");
  EXPECT_EQ(ask("rcpt.deny", {"a@office.test"}).json, R"({"changed":1})");
  EXPECT_EQ(ask("rcpt.flush").json, R"({"changed":0})");
  peer->client.send(ipc::Learn{{{.key = "c@office.test", .destination = "office"}}});
  ASSERT_TRUE(bench.until([&] { return ask("rcpt.flush", {"office.test"}).json == R"({"changed":1})"; }));
  EXPECT_EQ(ask("rcpt.remove", {"b@office.test"}).exit, 0);
}

TEST_F(ServiceTest, DrainReportsOfTheQueue) {
  ask("dest.pause", {"office"});
  ask("dest.resume", {"office"});
  ASSERT_TRUE(bench.until([&] { return peer->last("office")->state == mail::DestinationState::kDraining; }));
  const auto since = peer->last("office")->since_ms;
  peer->client.send(ipc::DrainReport{"office", since, ipc::DrainEvent::kBrake, "it refuses"});
  ASSERT_TRUE(bench.until([&] { return peer->last("office")->reason == "it refuses"; }));
  peer->client.send(ipc::DrainReport{"office", since - 1, ipc::DrainEvent::kDrained, {}});
  peer->client.send(ipc::DrainReport{"office", since, ipc::DrainEvent::kFailed, "three canaries"});
  ASSERT_TRUE(bench.until([&] { return peer->last("office")->state == mail::DestinationState::kDown; }));
  EXPECT_EQ(peer->last("office")->reason, "three canaries");
}

TEST_F(ServiceTest, SilentOnDestinationsItDoesNotKnow) {
  peer->client.send(ipc::Fact{.destination = "nowhere", .server = "x", .address = "x"});
  peer->client.send(ipc::ProbeNow{"nowhere"});
  peer->client.send(ipc::RefusedKnown{"nowhere", "a@b", "a@b", "550"});
  peer->client.send(ipc::DrainReport{"nowhere", 1, ipc::DrainEvent::kDrained, {}});
  peer->client.send(ipc::Learn{{{.key = "no-address", .destination = "nowhere"}}});
  EXPECT_EQ(ask("prober.status").exit, 0);
  EXPECT_EQ(peer->gone, 0);
}

TEST_F(ServiceTest, WhatIsNotForItEndsTheConnection) {
  peer->client.send(ipc::Synced{});
  EXPECT_TRUE(bench.until([&] { return peer->gone == 1; }));
}

TEST_F(ServiceTest, ReloadAddsAndRemovesDestinations) {
  service->reload(config({"office", "farm"}));
  ASSERT_TRUE(bench.until([&] { return peer->last("farm") != nullptr; }));
  EXPECT_EQ(ask("dest.show", {"plant"}).exit, 67);
  EXPECT_EQ(ask("dest.show", {"farm"}).exit, 0);
}

TEST_F(ServiceTest, AProbeOfADestinationThatGoesIsAnswered) {
  server.replies["banner"] = ScriptedServer::kSilence;
  ask("dest.show", {"plant"});
  peer->client.send(ipc::Control{"dest.probe", {"plant"}, "root"});
  ask("dest.show", {"office"});
  const std::size_t before = peer->replies.size();
  service->reload(config({"office"}));
  ASSERT_TRUE(bench.until([&] { return peer->replies.size() > before; }));
  EXPECT_EQ(peer->replies.back().exit, 67);
}

TEST_F(ServiceTest, AnAskerThatLeavesGetsNoAnswer) {
  server.replies["banner"] = ScriptedServer::kSilence;
  ask("dest.show", {"office"});
  peer->client.send(ipc::Control{"dest.probe", {"office"}, "root"});
  peer.emplace(bench.loop, context->socket("prober"));
  ASSERT_TRUE(bench.until([&] { return peer->connected; }));
  server.cut();
  server.stop();
  EXPECT_TRUE(bench.until(
      [&] { return peer->last("office") != nullptr && peer->last("office")->state == mail::DestinationState::kDown; }));
  EXPECT_TRUE(peer->replies.empty());
}

TEST_F(ServiceTest, FindsEverythingAgainAfterARestart) {
  ask("dest.pause", {"office", "moving house"});
  peer.reset();
  service.reset();
  ASSERT_TRUE(bench.until([turns = 0]() mutable { return ++turns > 3; }));  // the socket is closed by the loop
  begin();
  EXPECT_EQ(peer->last("office")->state, mail::DestinationState::kPaused);
  EXPECT_EQ(peer->last("office")->reason, "moving house");
}

}  // namespace
}  // namespace holdfast::prober
