// Puts mail that skipped the filters in an emergency through them before it is handed over (decision 25).
//
// A filter's connections are kept for the next message of the same client for a while: a filter hears of a client once.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/filter_chain.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "common/scanning/filters_of.h"
#include "common/scanning/health.h"
#include "common/storage/content.h"
#include "common/storage/segment_reader.h"

namespace holdfast::deliver {

// What came of it.
struct Scanned {
  ipc::RescanWord word = ipc::RescanWord::kNone;
  std::string reason;                 // but for kNone: "rescan: FILTER: 550 5.7.1 Virus found"
  std::optional<std::string> sender;  // another, as a filter wants it
};

class Rescans {
 public:
  class Scan;
  struct Chain;  // of filters, for one client

  // Whether the admin has said that nobody is to be asked about the domain's mail now (`filter bypass on`).
  using ByHand = std::function<bool(const config::Domain&)>;

  Rescans(net::Loop& loop, config::ConfigPtr config, ByHand by_hand);
  ~Rescans();

  // nullptr: there is nobody to ask, or it is not wanted. `done` is called once, later, and may destroy the Scan; what
  // is destroyed before makes no call. The Scan does not outlive this.
  using Done = std::function<void(const Scanned&)>;
  std::unique_ptr<Scan> begin(const storage::Record& record, const ipc::Job& job, Done done);

  void reload(config::ConfigPtr config);
  std::size_t idle() const { return idle_.size(); }

 private:
  friend class Scan;
  struct Key {
    scanning::Set filters;
    std::string address, name, helo, listener, tls;
    bool operator==(const Key&) const = default;
  };
  scanning::Set asked_after(const storage::Record& record, const ipc::Job& job) const;
  std::unique_ptr<Chain> take(const Key& key, const storage::Record& record, bool fresh);
  void give_back(std::unique_ptr<Chain> chain);
  void drop_old();

  net::Loop& loop_;
  config::ConfigPtr config_;
  const ByHand by_hand_;
  scanning::Health health_;
  std::list<std::unique_ptr<Chain>> idle_;  // the longest idle first
  net::Timer drop_;
};

// One message on its way through the filters.
class Rescans::Scan {
 public:
  Scan(Rescans& owner, const storage::Record& record, const ipc::Job& job, scanning::Set filters, Done done);
  ~Scan();

  // After it passed: what is to be sent instead of the record's content.
  const storage::Content& content() const { return content_; }

 private:
  using Outcome = filtering::Outcome;
  void start(bool fresh);
  base::Status load();
  void ask_recipient(std::size_t i);
  void ask_content();
  bool goes_on(const Outcome& outcome);
  bool again(const Outcome& outcome);
  void passed();
  void end(ipc::RescanWord word, std::string reason);
  void finish(Scanned scanned);

  Rescans& owner_;
  const storage::Record& record_;
  const ipc::Job& job_;
  const config::ConfigPtr config_;
  scanning::Set filters_;
  const Done done_;
  bool left_out_ = false;       // one that says "not now", and does not matter
  bool fresh_ = false;
  std::unique_ptr<Chain> chain_;
  std::string head_;
  storage::Content content_;
  Scanned word_;
  net::Timer soon_;             // nothing could be asked
};

}  // namespace holdfast::deliver
