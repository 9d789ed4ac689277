#include "prober/suspicions.h"

#include <algorithm>

namespace holdfast::prober {

Said judge_reply(const mail::Reply& reply) {
  if (reply.positive()) return reply.code == 252 ? Said::kNothing : Said::kAccepted;
  return reply.permanent() && mail::speaks_of_recipient(reply) ? Said::kRefused : Said::kNothing;
}

void Suspicions::restore(const std::string& key, base::Wall refused) {
  if (suspects_.size() >= kMost) return;
  suspects_.try_emplace(key, State{.address = key, .refused = refused, .due = refused + kBetweenRefusals});
}

void Suspicions::suspect(const std::string& key, const std::string& address, base::Wall now) {
  if (suspects_.size() >= kMost) return;
  suspects_.try_emplace(key, State{.address = address, .refused = {}, .due = now});
}

std::vector<Suspicions::Suspect> Suspicions::due(base::Wall now, std::size_t most) const {
  std::vector<Suspect> found;
  for (const auto& [key, state] : suspects_) {
    if (found.size() == most) break;
    if (state.due <= now) found.push_back({key, state.address});
  }
  return found;
}

std::optional<base::Wall> Suspicions::next_due() const {
  const auto first = std::ranges::min_element(suspects_, {}, [](const auto& s) { return s.second.due; });
  if (first == suspects_.end()) return std::nullopt;
  return first->second.due;
}

Findings Suspicions::judge(const std::vector<Answer>& answers, bool all_asked, base::Wall now) {
  Findings findings;
  const auto refused = static_cast<std::size_t>(std::ranges::count(answers, Said::kRefused, &Answer::said));
  findings.accepts_known = std::ranges::count(answers, Said::kAccepted, &Answer::said) > 0;
  findings.refuses_known = !findings.accepts_known && refused >= kSeveral;
  const bool believable = findings.accepts_known || (all_asked && refused == answers.size());
  for (const Answer& answer : answers) {
    if (answer.said == Said::kAccepted) {
      findings.accepted.push_back(answer.key);
      clear(answer.key);
    } else if (answer.said == Said::kRefused && believable && !findings.refuses_known) {
      judge_refusal(answer.key, now, findings);
    } else {
      put_off(answer.key, now);
    }
  }
  return findings;
}

void Suspicions::judge_refusal(const std::string& key, base::Wall now, Findings& findings) {
  const auto found = suspects_.try_emplace(key, State{.address = key, .refused = {}, .due = now}).first;
  State& state = found->second;
  state.asks = 0;
  if (!state.refused) {
    state.refused = now;
    state.due = now + kBetweenRefusals;
    findings.refused.push_back(key);
  } else if (now - *state.refused >= kBetweenRefusals) {
    findings.forget.push_back(key);
    suspects_.erase(found);
  }
}

void Suspicions::put_off(const std::string& key, base::Wall now) {
  const auto found = suspects_.find(key);
  if (found == suspects_.end()) return;
  State& state = found->second;
  state.due = now + kAskAgain;
  // One with a refusal of ours on record stays: the directory remembers it as well.
  if (++state.asks >= kMostAsks && !state.refused) suspects_.erase(found);
}

}  // namespace holdfast::prober
