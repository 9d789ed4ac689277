// Recipients that somebody was refused for though they are known (design.md section 3, Forgetting). A
// refusal in a client's session may be the client's fault; so the prober asks by itself, from <>. Its own
// second refusal, ten minutes after the first or later, forgets. Pure: no clock, no I/O.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/mail/reply.h"
#include "prober/now.h"

namespace holdfast::prober {

// What a destination said of a recipient. Nothing: a 4xx, a 252, a refusal for another reason, no answer.
enum class Said { kAccepted, kRefused, kNothing };
Said judge_reply(const mail::Reply& reply);

inline constexpr base::Millis kBetweenRefusals{10 * 60'000};
// One that gets no clear answer is asked again after this long, so often; then the suspicion is dropped.
inline constexpr base::Millis kAskAgain{10 * 60'000};
inline constexpr int kMostAsks = 6;
// A destination that refuses this many known recipients and accepts none is broken.
inline constexpr std::size_t kSeveral = 2;

struct Answer {
  std::string key;
  Said said = Said::kNothing;
};

// What one session's answers come to.
struct Findings {
  bool refuses_known = false;         // several refused, none accepted: the rest is empty
  bool accepts_known = false;         // at least one accepted
  std::vector<std::string> accepted;  // verified just now: refusal withdrawn
  std::vector<std::string> refused;   // own first refusal: to be remembered
  std::vector<std::string> forget;    // own second refusal
};

// Of one destination.
class Suspicions {
 public:
  static constexpr std::size_t kMost = 1000;  // more are dropped: their next refusal brings them back

  // From the directory: refused by ourselves at `refused`.
  void restore(const std::string& key, base::Wall refused);
  // A client or the queue was refused. `address` as it was written.
  void suspect(const std::string& key, const std::string& address, base::Wall now);
  // Accepted in a client's session, or gone from the directory.
  bool clear(const std::string& key) { return suspects_.erase(key) > 0; }  // true: it was one

  struct Suspect {
    std::string key, address;
  };
  std::vector<Suspect> due(base::Wall now, std::size_t most) const;
  std::optional<base::Wall> next_due() const;
  std::size_t size() const { return suspects_.size(); }

  // `answers`: of suspects that were due and of other known recipients asked beside them in the same
  // session; `all_asked`: there were no others to ask. A refusal is believed only when the same session
  // accepted another known recipient, or there is no other.
  Findings judge(const std::vector<Answer>& answers, bool all_asked, base::Wall now);

 private:
  struct State {
    std::string address;
    std::optional<base::Wall> refused;  // our first
    base::Wall due;
    int asks = 0;  // without a clear answer
  };
  void judge_refusal(const std::string& key, base::Wall now, Findings& findings);
  void put_off(const std::string& key, base::Wall now);

  std::map<std::string, State, std::less<>> suspects_;
};

}  // namespace holdfast::prober
