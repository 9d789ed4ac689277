// The filters of a client's session, in their order: each is asked at each stage, the next only when the one before goes
// on, and the next hears the content as those before it have left it (as Postfix does it). Stages are told when the mail's
// first recipient is known, since only then it is known which filters are asked: a refusal at connect or HELO is the answer
// to MAIL. What a filter's failure means is its spec's; one that is left out stays out for the session.
//
// One question at a time. Each has one answer, later, never inside the call; it may destroy the chain.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/filtering/edits.h"
#include "common/filtering/filter_link.h"
#include "common/filtering/telling.h"
#include "common/mail/reply.h"
#include "common/milter/macros.h"

namespace holdfast::filtering {

struct ClientFacts {
  milter::Client client;
  std::string helo;
};

struct Outcome {
  enum class Kind {
    kContinue,
    kRefuse,    // with `reply`: at MAIL and at the content the message, at RCPT the recipient
    kDiscard,   // the client is told 250, and the message goes nowhere
    kShutdown,  // `reply`, and the connection is closed
  };
  Kind kind = Kind::kContinue;
  mail::Reply reply;
  std::string filter;  // who said so
  bool failed = false;  // it is the filter's failure that speaks
};

class FilterChain {
 public:
  using Answer = std::function<void(const Outcome&)>;
  // A filter has failed just now; or ("") it works: it has judged, a content or earlier. To be reached alone says nothing.
  using Health = std::function<void(const std::string& filter, const std::string& fault)>;

  // `folder`: where contents that are too long for memory lie.
  FilterChain(net::Loop& loop, std::vector<FilterSpec> filters, ClientFacts client, std::string folder, Health health);
  ~FilterChain();

  // Values of the session and of the message, until they are set anew.
  milter::Macros& macros() { return macros_; }

  // A new message; one before it without its end is aborted. Addresses without brackets, parameters as on the wire.
  void mail(std::string address, std::string parameters, Answer answer);
  void rcpt(std::string address, std::string parameters, Answer answer);
  // All of the content, in wire format and without our Received field, changed in place as the filters want it; it lives
  // until the answer or abort().
  void content(storage::Content& content, Answer answer);
  // What they want changed of the envelope, once, after content() went on.
  EnvelopeChanges take_changes() { return std::exchange(changes_, {}); }
  // The message ends without a verdict, or has ended otherwise. No answer is given any more.
  void abort();

 private:
  struct Member {
    std::unique_ptr<FilterLink> link;
    bool greeted = false, named = false;  // connect and HELO were told
    bool out = false;                     // failed, and is left out
  };
  using Ask = std::function<bool(milter::FilterSession&)>;
  struct Step {
    std::size_t member;
    Ask ask;
  };

  void add_opening(std::size_t member);
  void begin(Answer answer);
  void proceed();
  bool take(std::size_t member, const FilterLink::Said& said);
  Outcome outcome_of(const Member& member, const FilterLink::Said& said);
  void note_health(Member& member, const FilterLink::Said& said);
  void tell_next();
  void told(std::size_t member, const FilterLink::Said& said);
  void answer(Outcome outcome);

  net::Loop& loop_;
  const ClientFacts client_;
  const std::string folder_;
  const Health health_;
  std::vector<Member> members_;
  milter::Macros macros_;
  std::vector<Step> steps_;  // of the present question
  std::size_t next_ = 0;
  Answer answer_;
  std::optional<Outcome> session_refusal_;  // said at connect or HELO
  bool opening_ = false;                    // the present step is connect or HELO
  storage::Content* content_ = nullptr;
  std::unique_ptr<Telling> telling_;
  std::size_t teller_ = 0;
  EnvelopeChanges changes_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::uint64_t question_ = 0;
};

}  // namespace holdfast::filtering
