// What is looked for and what becomes of it: config::ContentFilter made ready for use. Plain data, shared by threads as const.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/base/time.h"
#include "common/config/content_filter.h"

namespace holdfast::filter {

enum class Rule : std::uint8_t {
  kName, kType, kUrl, kExecutable, kShortcut, kMacro, kScript, kImage, kEncrypted, kDamaged
};
inline constexpr std::size_t kRules = 10;
std::string_view to_text(Rule rule);  // "name", "executable", …

enum class Action : std::uint8_t { kPass, kHeader, kQuarantine, kReject };  // the later weighs more
std::string_view to_text(Action action);

// Patterns with '*' and '?', in lower case. "*.exe" and its like, as most are, cost the same however many there are.
class Patterns {
 public:
  Patterns() = default;
  explicit Patterns(const std::vector<std::string>& patterns);
  bool match(std::string_view lower) const;

 private:
  std::unordered_set<std::string> endings_;  // ".exe"
  std::vector<std::string> others_;
};

// Host names in ASCII, lower case; each stands for all below it as well.
class Hosts {
 public:
  Hosts() = default;
  explicit Hosts(const std::vector<std::string>& hosts);
  bool match(std::string_view host) const;
  bool empty() const { return hosts_.empty(); }

 private:
  std::unordered_set<std::string> hosts_;
};

struct Limits {
  int depth = 5;
  int entries = 2'000;
  std::uint64_t bytes = 256 << 20;
  base::Seconds time{20};
};

struct Policy {
  Patterns names, types;
  Hosts hosts;
  std::array<Action, kRules> actions{};
  Limits limits;

  static Policy from(const config::ContentFilter& settings);
  Action action(Rule rule) const { return actions[static_cast<std::size_t>(rule)]; }
};

}  // namespace holdfast::filter
