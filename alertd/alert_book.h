// The rules by which what happens becomes alerts (design of issue 6, decision 16). Pure: time comes in.
//
// A lasting alert is open from its raising to its clearing, told at both and every `repeat` between. What is raised
// for the kFlaps-th time within kFlapWindow is flapping: one notice says so, and nothing more until it has been calm for
// kCalm (or `repeat` has passed). What happens at a moment is told at once, and then at most every `repeat`, with its number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alertd/alert.h"

namespace holdfast::alertd {

class AlertBook {
 public:
  static constexpr std::int64_t kFlapWindow = 15 * 60'000, kCalm = 15 * 60'000;
  static constexpr std::size_t kFlaps = 3;
  static constexpr std::size_t kMost = 1000;  // alerts at a time; more are not raised

  struct Rules {
    std::int64_t repeat_ms = 4 * 3'600'000;  // 0: never
    std::set<std::string, std::less<>> ignore;
  };
  // A notice to be made of an alert, as it stands now.
  struct Moment {
    std::uint64_t alert = 0;
    What what = What::kOpened;
    bool operator==(const Moment&) const = default;
  };
  using Moments = std::vector<Moment>;

  void restore(std::vector<Alert> alerts, std::vector<Silence> silences);
  void set_rules(Rules rules) { rules_ = std::move(rules); }

  // `since_ms`: when it began, if that is known better than by `now_ms`; else 0.
  Moments raise(std::string_view kind, std::string_view subject, std::string cause, std::int64_t now_ms, std::int64_t since_ms = 0);
  // `ended`: how, if not by what its kind says.
  Moments clear(std::string_view kind, std::string_view subject, std::int64_t now_ms, std::string ended = {});
  // Ended without a word: its subject is no longer there.
  void forget(std::string_view kind, std::string_view subject);
  // To be called at least once a minute.
  Moments tick(std::int64_t now_ms);
  // What is held for it now.
  void note_held(std::string_view kind, std::string_view subject, const Held& held);

  // false: there is no such open alert.
  bool acknowledge(std::uint64_t id, const std::string& by, std::int64_t now_ms);
  void silence(Silence silence);
  bool unsilence(std::string_view what);  // false: it was not silenced
  bool silenced(const Alert& alert, std::int64_t now_ms) const;

  const Alert* find(std::uint64_t id) const;
  const Alert* find(std::string_view kind, std::string_view subject) const;
  const std::map<std::uint64_t, Alert>& alerts() const { return alerts_; }
  const std::map<std::string, Silence, std::less<>>& silences() const { return silences_; }

  // What has changed since the last call: alerts by id, silences by name; those that are not there any more are to be erased.
  std::set<std::uint64_t> take_changed_alerts() { return std::exchange(changed_alerts_, {}); }
  std::set<std::string> take_changed_silences() { return std::exchange(changed_silences_, {}); }

 private:
  using Name = std::pair<std::string, std::string>;  // kind, subject

  Alert* get(std::string_view kind, std::string_view subject);
  Alert& add(std::string_view kind, std::string_view subject, std::int64_t now_ms, std::int64_t since_ms);
  void erase(std::uint64_t id);
  Moments reopen(Alert& alert, std::int64_t now_ms, std::int64_t since_ms);
  Moments tell(Alert& alert, What what, std::int64_t now_ms);
  Moments tick_lasting(Alert& alert, std::int64_t now_ms);
  Moments tick_moment(Alert& alert, std::int64_t now_ms);
  bool over(const Alert& alert, std::int64_t now_ms) const;
  std::int64_t gathering_ms() const;

  Rules rules_;
  std::map<std::uint64_t, Alert> alerts_;
  std::map<Name, std::uint64_t> by_name_;
  std::map<std::string, Silence, std::less<>> silences_;
  std::set<std::uint64_t> changed_alerts_;
  std::set<std::string> changed_silences_;
  std::uint64_t last_id_ = 0;
};

}  // namespace holdfast::alertd
