// The filter over its socket, asked by the product's own half of the protocol (common/milter).
#include "filter/milter.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/milter/content_feed.h"
#include "common/milter/filter_session.h"
#include "tests/unit/filter/parts.h"

namespace holdfast::filter {
namespace {

namespace fs = std::filesystem;
using milter::FilterEvent;
using milter::Stage;

// libmilter is one a process: one filter for all tests, which lives until the process ends.
class Server {
 public:
  static Server& get() {
    static auto* server = new Server;
    return *server;
  }
  const std::string& path() const { return path_; }
  Milter& milter() { return *milter_; }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  Server() {
    prepare_libraries();
    std::string folder = (fs::temp_directory_path() / "holdfast-milter-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    path_ = folder + "/socket";
    milter_ = new Milter(std::make_shared<const Policy>(Policy::from(settings())), {.message = 1 << 20, .held = 3 << 20, .connections = 20},
                         [this](std::string_view id, const Report& report) {
                           const std::lock_guard lock(mutex_);
                           told_.push_back(std::string(id) + ": " + report.worst()->text);
                         });
    EXPECT_TRUE(milter_->open(path_));
    std::thread([this] { milter_->serve(); }).detach();
    std::atexit([] { fs::remove_all(fs::path(get().path_).parent_path()); });
  }

  std::string path_;
  Milter* milter_ = nullptr;
  std::mutex mutex_;
  std::vector<std::string> told_;
};

// A client that waits.
class Client {
 public:
  Client() : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    Server::get().path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(wait().kind, FilterEvent::Kind::kReady);
  }

  milter::FilterSession& session() { return session_; }

  FilterEvent wait() {
    while (true) {
      flush();
      if (auto event = session_.next_event()) {
        if (event->kind == FilterEvent::Kind::kProgress) continue;
        return *event;
      }
      char bytes[4096];
      const auto n = ::read(fd_.get(), bytes, sizeof bytes);
      if (n <= 0) return {.kind = FilterEvent::Kind::kBroken, .error = "the filter has hung up"};
      session_.receive({bytes, static_cast<std::size_t>(n)});
    }
  }

  // The verdict on a message; the first that is not "go on".
  FilterEvent send(std::string_view wire) {
    milter::Macros macros;
    macros.set("i", "4F00BA");
    const milter::Client who{.name = "c.test", .address = "192.0.2.1", .port = 25};
    if (!met_ && session_.connect(who, macros)) wait();
    if (!met_ && session_.helo("c.test", macros)) wait();
    met_ = true;
    if (session_.mail("a@s.test", "", macros)) wait();
    if (session_.rcpt("b@example.test", "", macros)) wait();
    if (session_.data(macros)) wait();
    milter::ContentFeed feed;
    feed.give(wire);
    feed.end();
    while (auto part = feed.next()) {
      bool asked = false;
      if (part->stage == Stage::kHeader) asked = session_.header(part->field.name, part->field.value, macros);
      if (part->stage == Stage::kEndOfHeader) asked = session_.end_of_header(macros);
      if (part->stage == Stage::kBody) asked = session_.body(part->chunk, macros);
      if (part->stage == Stage::kEndOfMessage) asked = session_.end_of_message(macros);
      flush();
      if (!asked) continue;
      auto event = wait();
      if (event.kind != FilterEvent::Kind::kVerdict || event.verdict.kind != milter::Verdict::Kind::kContinue) return event;
    }
    return {};
  }

 private:
  void flush() {
    if (!session_.output().empty()) {
      EXPECT_TRUE(base::write_all(fd_.get(), session_.output()));
    }
    session_.output().clear();
  }

  base::UniqueFd fd_;
  milter::FilterSession session_;
  bool met_ = false;
};

using Kind = milter::Verdict::Kind;

TEST(Milter, AsksForNothingButTheContent) {
  Client client;
  for (const auto stage : {Stage::kConnect, Stage::kHelo, Stage::kMail, Stage::kRcpt, Stage::kData}) {
    EXPECT_FALSE(client.session().terms().wants(stage));
  }
  for (const auto stage : {Stage::kHeader, Stage::kEndOfHeader, Stage::kBody}) EXPECT_FALSE(client.session().terms().answers(stage));
}

TEST(Milter, LetsHonestMailThroughAsItIs) {
  Client client;
  for (int i = 0; i < 3; ++i) {
    const auto event = client.send(with("report.pdf", "%PDF-1.7"));
    EXPECT_EQ(event.verdict.kind, Kind::kContinue);
    EXPECT_TRUE(client.session().take_edits().empty());
  }
}

TEST(Milter, RefusesAndGoesOn) {
  Client client;
  const auto event = client.send(with("invoice.exe", "x"));
  EXPECT_EQ(event.verdict.kind, Kind::kRefuse);
  EXPECT_EQ(event.verdict.reply.wire(), "554 5.7.1 attachment \"invoice.exe\" is not allowed here\r\n");
  EXPECT_EQ(client.send("Subject: x\r\n\r\nhello\r\n").verdict.kind, Kind::kContinue);
  EXPECT_EQ(client.send(with("100%.exe", "x")).verdict.reply.wire(), "554 5.7.1 attachment \"100%.exe\" is not allowed here\r\n");
  const auto told = Server::get().told();
  EXPECT_NE(std::ranges::find(told, "4F00BA: attachment \"invoice.exe\" is not allowed here"), told.end());
}

TEST(Milter, QuarantinesAndMarks) {
  Client client;
  const auto event = client.send(with("a.zip", packed("zip", {{"a.txt", "hello"}}, "zip:encryption=zipcrypt")));
  EXPECT_EQ(event.verdict.kind, Kind::kContinue);
  auto edits = client.session().take_edits();
  ASSERT_EQ(edits.list.size(), 1U);
  EXPECT_EQ(edits.list[0].kind, milter::Edit::Kind::kQuarantine);
  EXPECT_EQ(edits.list[0].value, "attachment \"a.zip\" is encrypted and cannot be checked");

  auto marking = settings();
  marking.encrypted = "header";
  Server::get().milter().set_policy(std::make_shared<const Policy>(Policy::from(marking)));
  client.send(with("a.zip", packed("zip", {{"a.txt", "hello"}}, "zip:encryption=zipcrypt")));
  edits = client.session().take_edits();
  Server::get().milter().set_policy(std::make_shared<const Policy>(Policy::from(settings())));
  ASSERT_EQ(edits.list.size(), 1U);
  EXPECT_EQ(edits.list[0].kind, milter::Edit::Kind::kAddHeader);
  EXPECT_EQ(edits.list[0].name, "X-Holdfast-Content");
}

TEST(Milter, AnAbortedMessageIsForgotten) {
  Client client;
  milter::Macros macros;
  client.send("Subject: x\r\n\r\nhello\r\n");
  client.session().mail("a@s.test", "", macros);
  client.session().rcpt("b@example.test", "", macros);
  client.session().header("Content-Type", "application/octet-stream; name=invoice.exe", macros);
  client.session().abort();
  EXPECT_EQ(client.send("Subject: x\r\n\r\nhello\r\n").verdict.kind, Kind::kContinue);
}

TEST(Milter, TooLongAMessageIsDamaged) {
  Client client;
  EXPECT_EQ(client.send("Subject: x\r\n\r\n" + std::string(2 << 20, 'x')).verdict.kind, Kind::kContinue);
  const auto edits = client.session().take_edits();
  ASSERT_EQ(edits.list.size(), 1U);
  EXPECT_EQ(edits.list[0].value, "the message is too long to be checked");
}

TEST(Milter, SeveralAtATime) {
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      Client client;
      for (int j = 0; j < 10; ++j) refused += client.send(with("invoice.exe", "x")).verdict.kind == Kind::kRefuse ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused.load(), 100);
}

}  // namespace
}  // namespace holdfast::filter
