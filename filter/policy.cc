#include "filter/policy.h"

#include <algorithm>

#include "common/base/idn.h"
#include "common/base/text.h"

namespace holdfast::filter {
namespace {

// '*' is any run of characters; after a mismatch the last one takes one more.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

Action action_of(std::string_view text) {
  if (text == "reject") return Action::kReject;
  if (text == "quarantine") return Action::kQuarantine;
  return text == "header" ? Action::kHeader : Action::kPass;
}

}  // namespace

std::string_view to_text(Rule rule) {
  switch (rule) {
    case Rule::kName: return "name";
    case Rule::kType: return "type";
    case Rule::kUrl: return "url";
    case Rule::kExecutable: return "executable";
    case Rule::kShortcut: return "shortcut";
    case Rule::kMacro: return "macro";
    case Rule::kScript: return "script";
    case Rule::kImage: return "image";
    case Rule::kEncrypted: return "encrypted";
    case Rule::kDamaged: return "damaged";
  }
  return "";
}

std::string_view to_text(Action action) {
  switch (action) {
    case Action::kPass: return "pass";
    case Action::kHeader: return "header";
    case Action::kQuarantine: return "quarantine";
    case Action::kReject: return "reject";
  }
  return "";
}

Patterns::Patterns(const std::vector<std::string>& patterns) {
  for (const auto& written : patterns) {
    std::string pattern = base::to_lower(written);
    const bool ending = pattern.starts_with("*.") && pattern.find_first_of("*?", 1) == pattern.npos;
    ending ? (void)endings_.insert(pattern.substr(1)) : others_.push_back(std::move(pattern));
  }
}

bool Patterns::match(std::string_view lower) const {
  for (auto dot = lower.find('.'); dot != lower.npos; dot = lower.find('.', dot + 1)) {
    if (endings_.contains(std::string(lower.substr(dot)))) return true;
  }
  return std::ranges::any_of(others_, [&](const std::string& pattern) { return matches(pattern, lower); });
}

Hosts::Hosts(const std::vector<std::string>& hosts) {
  for (std::string_view host : hosts) {
    if (host.starts_with("*.")) host.remove_prefix(2);
    if (auto name = base::ascii_domain(host)) hosts_.insert(*std::move(name));
  }
}

bool Hosts::match(std::string_view host) const {
  while (!host.empty()) {
    if (hosts_.contains(std::string(host))) return true;
    const auto dot = host.find('.');
    if (dot == host.npos) return false;
    host.remove_prefix(dot + 1);
  }
  return false;
}

Policy Policy::from(const config::ContentFilter& settings) {
  Policy out;
  out.names = Patterns(settings.names.blocked);
  out.types = Patterns(settings.types.blocked);
  out.hosts = Hosts(settings.urls.blocked);
  const auto set = [&](Rule rule, std::string_view action) { out.actions[static_cast<std::size_t>(rule)] = action_of(action); };
  set(Rule::kName, settings.names.action);
  set(Rule::kType, settings.types.action);
  set(Rule::kUrl, settings.urls.action);
  set(Rule::kExecutable, settings.executables);
  set(Rule::kShortcut, settings.shortcuts);
  set(Rule::kMacro, settings.macros);
  set(Rule::kScript, settings.scripts);
  set(Rule::kImage, settings.images);
  set(Rule::kEncrypted, settings.encrypted);
  set(Rule::kDamaged, settings.damaged);
  out.limits = {settings.depth, settings.entries, settings.bytes, settings.time};
  return out;
}

}  // namespace holdfast::filter
