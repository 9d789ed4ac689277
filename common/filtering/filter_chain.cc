#include "common/filtering/filter_chain.h"

#include <utility>

#include "common/base/panic.h"

namespace holdfast::filtering {

using Kind = milter::Verdict::Kind;

FilterChain::FilterChain(net::Loop& loop, std::vector<FilterSpec> filters, ClientFacts client, std::string folder, Health health)
    : loop_(loop), client_(std::move(client)), folder_(std::move(folder)), health_(std::move(health)) {
  for (auto& spec : filters) members_.push_back({.link = std::make_unique<FilterLink>(loop, std::move(spec))});
}

FilterChain::~FilterChain() = default;

void FilterChain::begin(Answer answer) {
  base::expect(!answer_, "filters are asked one thing at a time");
  answer_ = std::move(answer);
  next_ = 0;
  ++question_;
  loop_.later([this, alive = std::weak_ptr<int>(alive_), question = question_] {
    if (!alive.expired() && question == question_ && answer_) content_ != nullptr ? tell_next() : proceed();
  });
}

// What a filter has to hear before its first message.
void FilterChain::add_opening(std::size_t i) {
  steps_.push_back({i, [this, i](milter::FilterSession& filter) {
                      if (std::exchange(members_[i].greeted, true)) return false;
                      opening_ = true;
                      return filter.connect(client_.client, macros_);
                    }});
  steps_.push_back({i, [this, i](milter::FilterSession& filter) {
                      if (std::exchange(members_[i].named, true)) return false;
                      opening_ = true;
                      return filter.helo(client_.helo, macros_);
                    }});
}

void FilterChain::mail(std::string address, std::string parameters, Answer answer) {
  abort();
  changes_ = {};
  for (std::size_t i = 0; i < members_.size(); ++i) {
    add_opening(i);
    steps_.push_back({i, [this, address, parameters](milter::FilterSession& filter) { return filter.mail(address, parameters, macros_); }});
  }
  begin(std::move(answer));
}

void FilterChain::rcpt(std::string address, std::string parameters, Answer answer) {
  steps_.clear();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    steps_.push_back({i, [this, address, parameters](milter::FilterSession& filter) { return filter.rcpt(address, parameters, macros_); }});
  }
  begin(std::move(answer));
}

void FilterChain::content(storage::Content& content, Answer answer) {
  content_ = &content;
  teller_ = 0;
  begin(std::move(answer));
}

void FilterChain::abort() {
  answer_ = nullptr;
  content_ = nullptr;
  telling_.reset();
  steps_.clear();
  for (auto& member : members_) member.link->abort();
}

void FilterChain::proceed() {
  if (session_refusal_) return answer(*session_refusal_);
  while (next_ < steps_.size()) {
    const auto [i, ask] = steps_[next_++];
    Member& member = members_[i];
    if (member.out) continue;
    opening_ = false;
    const auto said = member.link->ask(ask, member.link->spec().command, [this, i](const FilterLink::Said& later) {
      if (take(i, later)) proceed();
    });
    if (!said || !take(i, *said)) return;
  }
  answer({});
}

// Whether to go on.
bool FilterChain::take(std::size_t i, const FilterLink::Said& said) {
  Member& member = members_[i];
  note_health(member, said);
  const Outcome outcome = outcome_of(member, said);
  if (outcome.kind == Outcome::Kind::kContinue) {
    if (!said) member.out = true;
    return true;
  }
  if (opening_ && !outcome.failed) session_refusal_ = outcome;
  answer(outcome);
  return false;
}

Outcome FilterChain::outcome_of(const Member& member, const FilterLink::Said& said) {
  const auto& spec = member.link->spec();
  if (!said) {
    if (spec.on_failure == OnFailure::kAccept) return {};
    const bool refuse = spec.on_failure == OnFailure::kReject;
    return {.kind = Outcome::Kind::kRefuse,
            .reply = refuse ? mail::Reply::make(550, "5.7.1", "Service unavailable: a filter does not answer")
                            : mail::Reply::make(451, "4.7.1", "Service unavailable - try again later"),
            .filter = spec.name,
            .failed = true};
  }
  switch (said->kind) {
    case Kind::kContinue:
    case Kind::kAccept: return {};
    case Kind::kDiscard: return {.kind = Outcome::Kind::kDiscard, .reply = {}, .filter = spec.name};
    case Kind::kRefuse: return {.kind = Outcome::Kind::kRefuse, .reply = said->reply, .filter = spec.name};
    case Kind::kShutdown: return {.kind = Outcome::Kind::kShutdown, .reply = said->reply, .filter = spec.name};
  }
  base::panic("a verdict of no kind");
}

void FilterChain::note_health(Member& member, const FilterLink::Said& said) {
  if (said) {
    if (content_ != nullptr || said->kind != Kind::kContinue) health_(member.link->spec().name, "");
  } else if (said.error().kind == base::Kind::kTemporary && !member.out && member.link->spec().fault.empty()) {
    health_(member.link->spec().name, said.error().text);
  }
}

void FilterChain::tell_next() {
  while (teller_ < members_.size() && members_[teller_].out) ++teller_;
  if (teller_ == members_.size()) {
    content_ = nullptr;
    return answer({});
  }
  opening_ = false;
  telling_ = std::make_unique<Telling>(*members_[teller_].link, *content_, macros_);
  telling_->run([this, i = teller_](const FilterLink::Said& said) { told(i, said); });
}

// Called by the Telling, which must outlive its own call.
void FilterChain::told(std::size_t i, const FilterLink::Said& said) {
  const std::shared_ptr<Telling> telling = std::move(telling_);
  loop_.later([telling] {});
  if (said && (said->kind == Kind::kContinue || said->kind == Kind::kAccept)) {
    auto& filter = members_[i].link->session();
    const auto done = apply_edits(filter.take_edits(), filter.terms().leading_space(), telling->body_begins(), folder_, *content_, changes_);
    if (!done) {
      content_ = nullptr;
      return answer({.kind = Outcome::Kind::kRefuse,
                     .reply = done.error().kind == base::Kind::kNoSpace ? mail::Reply::make(452, "4.3.1", "Insufficient system storage")
                                                                       : mail::Reply::make(451, "4.3.0", "Local error in processing"),
                     .filter = members_[i].link->spec().name,
                     .failed = true});
    }
  }
  if (!take(i, said)) return;
  ++teller_;
  tell_next();
}

void FilterChain::answer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kContinue) {
    content_ = nullptr;
    changes_ = {};
  }
  if (const auto answer = std::exchange(answer_, nullptr)) answer(outcome);
}

}  // namespace holdfast::filtering
