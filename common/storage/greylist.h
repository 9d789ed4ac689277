// What greylisting remembers (docs/greylisting.md): the LMDB environment state/greylist, written by smtpd's workers and by
// gatewayctl under LMDB's own lock. Rows are small and of one size; what was sent from whom to whom is in them as a keyed
// hash only. All times are seconds since 1970, wall clock.
//
// A second table has the rows by their end, so that each change takes away what is over at a constant cost, and
// what would end first when there are too many.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/network.h"
#include "common/base/siphash.h"
#include "common/storage/lmdb.h"

namespace holdfast::storage {

struct GreyRow {
  enum class Kind : std::uint8_t {
    kWaiting = 1,  // a triplet that was put off
    kPassed = 2,   // one that came again in time
    kNetwork = 3,  // a client network; count: its triplets that passed
    kByHand = 4,   // one that an admin lets pass
  };
  Kind kind = Kind::kWaiting;
  base::Network network{};  // of the client: /24 of IPv4, /64 of IPv6; by hand any of these
  std::uint32_t first_s = 0, end_s = 0;
  std::uint32_t count = 0;

  bool operator==(const GreyRow&) const = default;
};

struct GreyRules {
  std::uint32_t delay_s = 300, window_s = 2 * 86400, lifetime_s = 36 * 86400;
  std::uint32_t auto_allow = 5;          // 0: never
  std::uint64_t max_entries = 10'000'000;
};

// --- Pure rules ---

// The network that clients count by.
base::Network grey_network(const base::IpAddress& client);

enum class GreyWord { kPutOff, kPassed, kKnown };
struct GreyJudgement {
  GreyWord word = GreyWord::kPutOff;
  std::optional<GreyRow> triplet;     // to be written
  std::optional<GreyRow> network;     // to be written; its count is the number of triplets to be added
};
// `triplet` and `network`: what is known of them, rows that are over included.
GreyJudgement judge_grey(const std::optional<GreyRow>& triplet, const std::optional<GreyRow>& network,
                         const base::Network& client, std::uint32_t now_s, const GreyRules& rules);

// --- The environment ---

class Greylist {
 public:
  static std::string folder(const std::string& state_folder) { return state_folder + "/greylist"; }
  // A writer makes it when there is none. A damaged one is taken away, and a new one made: what is lost is a delay.
  static base::Result<std::unique_ptr<Greylist>> open(const std::string& state_folder, bool read_only = false);

  Env& env() { return *env_; }

  // Rows are found by these. `sender` and `recipient` in lower case.
  std::string triplet_key(const base::Network& client, std::string_view sender, std::string_view recipient) const;
  std::string network_key(const base::Network& network) const;

  std::optional<GreyRow> find(const Txn& txn, std::string_view key) const;
  std::uint64_t entries(const Txn& txn) const;
  // In the order of their end, rows that are over left out; return false to stop.
  void each(const Txn& txn, std::uint32_t now_s, const std::function<bool(std::string_view key, const GreyRow&)>& visit) const;

  // Operations for a BatchWriter. A first attempt is not written over one that another worker has written meanwhile; the
  // count of a network is added to. Each takes away up to two rows that are over, or that are too many.
  // `note` writes what a judgement wants of its two rows: a triplet that another message has passed meanwhile is not counted
  // again.
  base::Status note(WriteTxn& txn, std::string_view triplet_key, std::string_view network_key, const GreyJudgement& judgement,
                    std::uint32_t now_s, std::uint64_t most) const;
  base::Status put(WriteTxn& txn, std::string_view key, const GreyRow& row, std::uint32_t now_s, std::uint64_t most) const;
  base::Status erase(WriteTxn& txn, std::string_view key) const;

 private:
  base::Status make_secret();
  base::Status write(WriteTxn& txn, std::string_view key, const GreyRow& row) const;
  base::Status prune(WriteTxn& txn, std::uint32_t now_s, std::uint64_t most) const;

  std::unique_ptr<Env> env_;
  base::HashKey secret_{};  // nobody can make two triplets meet
};

}  // namespace holdfast::storage
