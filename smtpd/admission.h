// Who is let in, asked for each recipient before its destination is: lists, DNS block lists, greylisting, in this order
// (decisions 21 and 22). An entry of a list that allows ends it; so does, for greylisting, a sum of weights below 0. DNS block
// lists and greylisting leave out trusted, loopback and private networks. Nothing configured costs a comparison.
//
// Belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/config/config.h"
#include "common/mail/reply.h"
#include "common/net/loop.h"
#include "common/policy/lists.h"
#include "smtpd/block_lists.h"
#include "smtpd/greylisting.h"

namespace holdfast::smtpd {

struct AdmissionQuestion {
  policy::Visit visit;             // views need live as long as the call only
  bool trusted = false;            // the client is in a trusted network
  const config::Domain& domain;    // the recipient's; lives until the answer
};

class Admission {
 public:
  Admission(net::Loop& loop, const config::Config& config);
  ~Admission();
  // Lists that cannot be read leave those before in force; it is logged.
  void reload(const config::Config& config);

  // A client is there: what is asked of others begins to be.
  void expect(const base::IpAddress& client, bool trusted);

  // Nothing: it may go on to its destination. Else what the client is told. Called back once, maybe inside admit(), which
  // then returns null; not any more once what it returned is destroyed.
  using Done = std::function<void(const std::optional<mail::Reply>&)>;
  using Wait = BlockLists::Wait;
  std::unique_ptr<Wait> admit(const AdmissionQuestion& question, Done done);
  // An entry of the sender allow list knows him.
  bool allows_sender(std::string_view sender) const;

 private:
  void compile(const config::Config& config);
  std::optional<mail::Reply> by_lists(const policy::Visit& visit, bool& allowed);
  std::optional<mail::Reply> by_score(const policy::Visit& visit, const config::Domain& domain, const BlockLists::Score& score);
  std::optional<mail::Reply> by_greylist(const policy::Visit& visit, const config::Domain& domain);
  void note_slow_regexes();

  net::Loop& loop_;
  policy::Lists lists_;
  BlockLists block_lists_;
  Greylisting greylisting_;
  std::uint64_t gave_up_ = 0;  // of regular expressions, as it was logged
};

}  // namespace holdfast::smtpd
