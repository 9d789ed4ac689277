#include "gatewayctl/selftest.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/mail/destination_state.h"
#include "gatewayctl/hand_in.h"
#include "common/admin/log_files.h"
#include "common/admin/log_lines.h"
#include "common/admin/text_json.h"

namespace holdfast::gatewayctl {
namespace {

// The index and qmgr have nothing to wait on from outside: they are asked again and again.
constexpr base::Millis kLookAgain{20};

std::string test_message(const std::string& hostname, const std::string& to, mail::QueueId id) {
  const auto date = base::rfc5322_date(base::wall_now());
  return fmt::format(
      "Received: by {0} (gatewayctl selftest)\r\n\tid {1}; {3}\r\n"
      "From: Holdfast <postmaster@{0}>\r\nTo: {2}\r\nSubject: Holdfast self-test {1}\r\nDate: {3}\r\n"
      "Message-ID: <{1}.selftest@{0}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
      "The mail gateway {0} has kept this message as if your server had been down, and\r\n"
      "has handed it over. Whoever asked for the test knows that it has arrived.\r\n",
      hostname, id.text(), to, date);
}

class Selftest {
 public:
  Selftest(Gateway& gateway, bool as_json, std::string to, base::Seconds patience)
      : gateway_(gateway), as_json_(as_json), to_(std::move(to)), patience_(patience), begun_(base::mono_now()) {}

  // kTemporary when a step did not pass. The message is taken back then, so that no test is left in the queue.
  base::Status run() {
    if (auto done = configured(); !done) return done;
    state();
    if (auto done = spooled(); !done) return done;
    const bool good = indexed() && outcome();
    if (good) return {};
    take_back();
    return base::fail(base::Kind::kTemporary, "the self-test did not pass");
  }

 private:
  base::Status configured() {
    const auto address = mail::parse_address(to_);
    if (!address) return base::fail(base::Kind::kUsage, fmt::format("'{}' is no address", base::printable(to_)));
    const auto* domain = gateway_.config().find_domain(address->domain);
    if (domain == nullptr)
      return base::fail(base::Kind::kData, fmt::format("{} is not a domain of this gateway", address->domain));
    destination_ = domain->destination;
    pass("configured", fmt::format("{} goes to {}", domain->name, destination_));
    return {};
  }

  // No failure: the message waits until it is up.
  void state() {
    const auto row = gateway_.directory().destination(destination_);
    if (!row) return pass("destination", destination_ + " has not been looked at yet");
    pass("destination", fmt::format("{} is {}{}{}", destination_, mail::to_text(row->state),
                                    row->reason.empty() ? "" : ": ", row->reason));
  }

  base::Status spooled() {
    auto spool = HandIn::open(gateway_);
    if (!spool) return std::unexpected(spool.error());
    id_ = spool->next_id();
    mail::Envelope envelope;
    envelope.recipients.push_back({.address = to_, .orcpt = {}, .notify = {}, .known = false});
    envelope.destination = destination_;
    envelope.arrival_ms = base::to_millis(base::wall_now());
    envelope.client_address = "127.0.0.1";
    envelope.client_name = "localhost";
    envelope.protocol = "selftest";
    envelope.message_id = fmt::format("<{}.selftest@{}>", id_.text(), gateway_.config().hostname);
    storage::Content content(gateway_.config().paths.spool);
    if (auto done = content.append(test_message(gateway_.config().hostname, to_, id_)); !done) return done;
    if (auto done = spool->add(id_, envelope, content); !done) return done;
    if (auto done = spool->close(); !done) return done;
    pass("spooled", fmt::format("{} is on disk, {} bytes", id_.text(), content.size()));
    return {};
  }

  // It may have come and gone between two looks: the log knows.
  bool indexed() {
    return until([&] { return find() || !words_of_log().empty(); }) ? pass("indexed", "qmgr has it in the queue"),
           true                                                     : fail("indexed", "qmgr has not taken it in time");
  }

  bool outcome() {
    bool handed = false;
    const bool over = until([&] {
      const auto item = find();
      const auto active = gateway_.active();
      const bool now = (active && active->contains(id_)) || !item || item->message.attempts > 0 ||
                       item->message.state == storage::MessageState::kFrozen;
      if (now && !handed) pass("handed over", destination_ + " is being asked");
      handed = handed || now;
      return !item || item->message.attempts > 0;
    });
    if (!over)
      return fail(handed ? "outcome" : "handed over", handed ? "no answer in time" : "not in time: " + why_not());
    return judge();
  }

  bool judge() {
    const auto item = find();
    if (!item) {
      // The line may be written a moment after the row has gone.
      until([&] { return !words_of_log().empty(); }, base::Seconds{2});
      const auto words = words_of_log();
      if (words.find("status=sent") != words.npos || words.empty()) {
        return pass("outcome", words.empty() ? "it has left the queue" : words), true;
      }
      return fail("outcome", words);
    }
    const auto& reply = item->recipients.empty() ? item->message.reason : item->recipients.front().reply;
    return fail("outcome", fmt::format("{}: {}", storage::to_text(item->message.state),
                                       reply.empty() ? item->message.reason : reply));
  }

  std::optional<storage::Listed> find() {
    std::optional<storage::Listed> out;
    (void)gateway_.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
      if (auto row = index.message(txn, id_)) out = storage::Listed{id_, std::move(*row), index.recipients(txn, id_)};
    });
    return out;
  }

  // The last line of deliver about it.
  std::string words_of_log() {
    std::string out;
    (void)log_.read_on([&](std::string_view whole) {
      const auto line = LogLine::parse(whole);
      if (line && line->id == id_.text() && line->text.starts_with("to=<")) said_ = line->text;
    });
    return said_;
  }

  std::string why_not() {
    const auto row = gateway_.directory().destination(destination_);
    const bool down = row && row->state != mail::DestinationState::kUp;
    return down ? fmt::format("{} is {}", destination_, mail::to_text(row->state))
                : "the queue may be long, or no deliver runs";
  }

  bool until(const std::function<bool()>& condition, std::optional<base::Seconds> patience = {}) {
    const auto end = base::mono_now() + patience.value_or(patience_);
    while (!condition()) {
      if (base::mono_now() >= end) return false;
      std::this_thread::sleep_for(kLookAgain);
    }
    return true;
  }

  void take_back() {
    const auto done = gateway_.ask("qmgr", "queue.delete", {id_.text()});
    if (done) pass("taken back", "the test message is out of the queue");
  }

  void pass(const char* step, const std::string& text) { say(step, true, text); }
  bool fail(const char* step, const std::string& text) { return say(step, false, text), false; }
  void say(const char* step, bool good, const std::string& text) {
    const auto ms = std::chrono::duration_cast<base::Millis>(base::mono_now() - begun_).count();
    const double seconds = static_cast<double>(ms) / 1000;
    if (as_json_) {
      std::fputs(dump_line({{"step", step}, {"pass", good}, {"seconds", seconds}, {"text", text}}).c_str(), stdout);
    } else {
      fmt::print("{}  {:7.3f} s  {:<12}  {}\n", good ? "pass" : "FAIL", seconds, step, base::printable(text));
    }
    std::fflush(stdout);
  }

  Gateway& gateway_;
  const bool as_json_;
  const std::string to_;
  const base::Seconds patience_;
  const base::Mono begun_;
  LogTail log_{gateway_.config().paths.log + "/deliver.log"};
  std::string destination_, said_;
  mail::QueueId id_;
};

}  // namespace

void add_selftest(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand(
      "selftest", "keep a message as if its destination were down, hand it over, and report each step");
  auto to = std::make_shared<std::string>();
  auto seconds = std::make_shared<std::uint32_t>(60);
  command->add_option("--to", *to, "who gets it; in one of the gateway's domains")->required();
  command->add_option("--timeout", *seconds, "most seconds a step")->capture_default_str()->check(CLI::Range(1, 3600));
  command->footer(
      "The message comes from the null sender, so that nobody gets a bounce. One that is not delivered is taken back.");
  command->callback([&invocation, to, seconds] {
    with_gateway(invocation, [&](Gateway& gateway) {
      return Selftest(gateway, invocation.json, *to, base::Seconds{*seconds}).run();
    });
  });
}

}  // namespace holdfast::gatewayctl
