// What the figures were: the LMDB environment state/history, written by webd alone. Series have names ("queue.messages");
// a row holds all that were known at one moment. Rows of 10 s are kept for a day, of 5 min for a month, of an hour for a
// year: some 26,000 rows whatever happens, of at most kMostSeries series. All times are seconds since 1970.
//
// A row of a longer step is made when the first sample behind it comes, from those of the shorter one, in the same
// transaction: a crash leaves both or none. An answer adds up what is not rolled up yet, so it ends now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/storage/history_rollup.h"
#include "common/storage/lmdb.h"

namespace holdfast::storage {

class History {
 public:
  static constexpr std::size_t kMostSeries = 1000;
  static constexpr std::size_t kLongestName = 200;
  static constexpr std::size_t kMostSteps = 2000;  // in one answer

  using Values = std::vector<std::pair<std::string, double>>;

  // kNotFound for a reader before the first sample was written.
  static base::Result<std::unique_ptr<History>> open(const std::string& state_folder, bool read_only = false);
  static std::string folder(const std::string& state_folder) { return state_folder + "/history"; }

  Env& env() { return *env_; }

  // One sample, at most one a step of 10 s: a later one in the same step takes its place. A name that is too long, or one
  // too many, is left out. When the clock was put back, what is later than `now` goes.
  base::Status add(WriteTxn& txn, std::int64_t now, const Values& values) const;

  // In the order of the alphabet.
  std::vector<std::string> series(const Txn& txn) const;

  // From the step that holds `from` to the one that holds `to`, in steps of one length. Nothing: not known then.
  struct Answer {
    std::int64_t first = 0, step = 0;
    std::vector<std::vector<std::optional<double>>> values;  // of each series that was asked for, a value a step
    std::vector<std::vector<std::uint32_t>> samples;         // likewise, of how many samples of 10 s it is the mean
  };
  Answer read(const Txn& txn, const std::vector<std::string>& names, std::int64_t from, std::int64_t to,
              std::int64_t now) const;

 private:
  base::Result<std::vector<HistoryPoint>> number(WriteTxn& txn, std::int64_t now, const Values& values) const;
  base::Status roll_up(WriteTxn& txn, std::size_t level, std::int64_t at) const;
  base::Status prune(WriteTxn& txn, std::int64_t now) const;
  base::Status forget_future(WriteTxn& txn, std::int64_t now) const;

  std::unique_ptr<Env> env_;
};

}  // namespace holdfast::storage
