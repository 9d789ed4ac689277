// What the sink does at each stage of a session. Pure.
//
// A rule is words, "STAGE [from=WHO] [to=WHO] [times=N] ACTION":
//   stage    connect, ehlo (HELO too), mail, rcpt, data, content (its first bytes), dot
//   WHO      a local part or a whole address: of the sender, of a recipient (mail knows none yet)
//   times    the rule works so often, then it is gone
//   action   accept; refuse (550); tempfail (451); a reply ("550 5.1.1 No such user"); stall [SECONDS]: no
//            answer, or only then; drop: the connection is closed. At content only stall and drop.
// The last rule that fits wins. Without one, an address whose local part is ACTION-STAGE ("refuse-rcpt",
// "tempfail-dot", "stall-data", "drop-mail") does what it says: the sender's at all stages from mail on, a
// recipient's at rcpt to itself, and at data, content and dot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/mail/reply.h"

namespace holdfast::gatewayctl::sink {

enum class Stage : std::uint8_t { kConnect, kEhlo, kMail, kRcpt, kData, kContent, kDot };

struct Action {
  enum class Kind : std::uint8_t { kAccept, kReply, kStall, kDrop };
  Kind kind = Kind::kAccept;
  mail::Reply reply;                  // kReply
  std::optional<base::Millis> stall;  // kStall: then accepted; nothing: for ever
};

struct Rule {
  Stage stage = Stage::kConnect;
  std::string from, to;  // empty: any
  std::optional<std::uint64_t> times;
  Action action;
};
base::Result<Rule> parse_rule(std::string_view words);

class Rules {
 public:
  void add(Rule rule) { rules_.push_back(std::move(rule)); }
  void clear() { rules_.clear(); }
  std::size_t size() const { return rules_.size(); }

  // What to do; counts a use of a rule with times=. `recipients` is the one in question at rcpt, all accepted
  // ones later.
  Action decide(Stage stage, std::string_view sender, const std::vector<std::string>& recipients);

 private:
  std::vector<Rule> rules_;
};

}  // namespace holdfast::gatewayctl::sink
