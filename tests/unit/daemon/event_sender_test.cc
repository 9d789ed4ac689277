#include "common/daemon/event_sender.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/announce.h"

namespace holdfast::daemon {
namespace {

using namespace std::chrono_literals;

// alertd's side: confirms what it is told to.
class Receiver : public ipc::ChannelHandler {
 public:
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override {
    const auto event = message.as<ipc::Event>();
    if (!event) return false;
    events.push_back(*event);
    if (confirms) from.send(ipc::EventTaken{event->number});
    if (on_event) on_event();
    return true;
  }
  std::vector<ipc::Event> events;
  bool confirms = true;
  std::function<void()> on_event;
};

class EventSenderTest : public ::testing::Test {
 protected:
  EventSenderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hf-events-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~EventSenderTest() override { std::filesystem::remove_all(folder_); }
  static ipc::Hello hello(const char* name) {
    ipc::Hello out;
    out.name = name;
    out.pid = 7;
    return out;
  }
  std::string path() const { return folder_ + "/alertd.sock"; }
  void run_until(std::function<bool()> done) {
    bool over = false;  // a second stop() would end the next run()
    const auto stop_if = [&](bool yes) {
      if (yes && !std::exchange(over, true)) loop_.stop();
    };
    receiver_.on_event = [&] { stop_if(done()); };
    net::Timer limit(loop_, [&] { stop_if(true); });
    limit.start(20s);
    net::Timer look(loop_, [&] { stop_if(done()); });
    look.every(10ms);
    loop_.run();
    receiver_.on_event = nullptr;
    EXPECT_TRUE(done());
  }

  net::Loop loop_;
  std::string folder_;
  Receiver receiver_;
};

TEST_F(EventSenderTest, WhatIsAnnouncedWhileNobodyIsThereComesLaterInOrder) {
  EventSender sender(loop_, path(), hello("qmgr"));
  for (int i = 0; i < 3; ++i) base::announce(base::Level::kNotice, "e" + std::to_string(i), {{"k", "v"}});
  run_until([&] { return sender.waiting() == 3; });
  ipc::Server server(loop_, path(), hello("alertd"), receiver_);
  ASSERT_TRUE(server.start());
  run_until([&] { return receiver_.events.size() >= 3 && sender.waiting() == 0; });
  ASSERT_EQ(receiver_.events.size(), 3U);
  EXPECT_EQ(receiver_.events[0].name, "e0");
  EXPECT_EQ(receiver_.events[2].number, 3U);
  EXPECT_EQ(receiver_.events[2].facts[0].value, "v");
  EXPECT_EQ(receiver_.events[2].dropped, 0U);
}

TEST_F(EventSenderTest, WhatWasNotConfirmedIsSentAgain) {
  EventSender sender(loop_, path(), hello("qmgr"));
  receiver_.confirms = false;
  {
    ipc::Server server(loop_, path(), hello("alertd"), receiver_);
    ASSERT_TRUE(server.start());
    base::announce(base::Level::kNotice, "held", {});
    run_until([&] { return receiver_.events.size() == 1; });
  }
  EXPECT_EQ(sender.waiting(), 1U);
  receiver_.confirms = true;
  ipc::Server server(loop_, path(), hello("alertd"), receiver_);
  ASSERT_TRUE(server.start());
  run_until([&] { return sender.waiting() == 0; });
  ASSERT_EQ(receiver_.events.size(), 2U);
  EXPECT_EQ(receiver_.events[1].number, receiver_.events[0].number);
}

TEST_F(EventSenderTest, TheOldestGoWhenTooManyWaitAndAreCounted) {
  EventSender sender(loop_, path(), hello("qmgr"));
  const auto most = EventSender::kMost;
  for (std::size_t i = 0; i < most + 7; ++i) base::announce(base::Level::kNotice, "e" + std::to_string(i), {});
  ipc::Server server(loop_, path(), hello("alertd"), receiver_);
  ASSERT_TRUE(server.start());
  run_until([&] { return receiver_.events.size() == most; });
  EXPECT_EQ(receiver_.events.front().name, "e7");
  EXPECT_EQ(receiver_.events.back().dropped, 7U);
}

}  // namespace
}  // namespace holdfast::daemon
