// Whether one server of a destination is up, from what probes and live traffic saw of its addresses
// (design.md section 3, Detection). Pure: no clock, no I/O.
//
// An address goes down after `down_after` failures in a row and comes back after `up_after` passed
// probes in a row: live traffic alone never brings one back. A server is up while one of its addresses
// is, unless it refuses the recipients it is known to have.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/stage.h"
#include "prober/now.h"

namespace holdfast::prober {

inline constexpr std::string_view kRefusesKnown = "refuses known recipients";
inline constexpr std::string_view kPointsBack = "points back at us";

// Live failures of one address that come so close together are one piece of evidence: twenty sessions
// cut by one restart of the server do not make an outage.
inline constexpr base::Millis kLiveSpacing{1000};

struct Rules {
  int down_after = 3;
  int up_after = 1;
};

// One attempt at one address.
struct Evidence {
  bool ok = false;
  mail::Stage stage = mail::Stage::kNone;  // where it failed; when ok: how far it came
  std::string reason;                      // "connect: connection refused"
  bool probe = false;                      // by the prober itself
  bool certain = false;                    // down at once, whatever down_after says: it is ourselves
};

class ServerHealth {
 public:
  ServerHealth(std::string name, Rules rules, base::Wall since);

  // As the directory remembers it. An up server begins with no failures.
  void restore(bool up, std::string reason, base::Wall since);
  void set_rules(Rules rules) { rules_ = rules; }

  // What the name resolves to now. New addresses of a down server begin down: a change in DNS is no
  // sign of life.
  void set_addresses(const std::vector<std::string>& addresses, base::Wall now);
  // False: an address that the last lookup did not give; nothing was counted.
  bool record(std::string_view address, const Evidence& evidence, Now now);
  // The name did not resolve: a failure of all its addresses.
  void record_unresolved(const std::string& reason, Now now);
  // It refused several known recipients and accepted none; or it accepted one, or there are none to ask.
  void set_refuses_known(bool refuses, base::Wall now);

  const std::string& name() const { return name_; }
  bool address_up(std::string_view address) const;  // true too for one that is not known
  bool up() const { return up_; }
  bool refuses_known() const { return refuses_known_; }
  const std::string& reason() const { return reason_; }  // of being down; empty when up
  base::Wall since() const { return since_; }
  int failures() const;  // in a row, of the address that has most
  // Between two states: probe again soon (a first failure, or a first of several passes).
  bool unsettled() const;

 private:
  struct Address {
    bool up = true;
    int failures = 0;
    int passes = 0;
    mail::Stage failed_at = mail::Stage::kNone;  // the furthest of the failures in this row
    base::Mono counted;                          // the last failure
    std::string reason;
  };

  void pass(Address& address, const Evidence& evidence);
  void failure(Address& address, const Evidence& evidence, base::Mono now);
  void settle(base::Wall now);  // the one door: sets up_, reason_, since_

  std::string name_;
  Rules rules_;
  std::map<std::string, Address, std::less<>> addresses_;  // "" stands for a name that never resolved
  bool refuses_known_ = false;
  bool up_ = true;
  std::string reason_;
  base::Wall since_;
};

}  // namespace holdfast::prober
