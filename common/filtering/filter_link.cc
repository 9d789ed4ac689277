#include "common/filtering/filter_link.h"

#include <utility>

#include <fmt/core.h>

#include "common/base/panic.h"

namespace holdfast::filtering {
namespace {

constexpr std::size_t kMostUnsent = 256 << 10;  // to a filter that answers no piece of a body

}  // namespace

FilterLink::FilterLink(net::Loop& loop, FilterSpec spec)
    : loop_(loop), spec_(std::move(spec)), session_({.body = spec_.longest_body}), deadline_(loop, [this] {
        const auto stage = session_.waits_for();
        fail(!ready_ ? "did not answer in time" : stage ? fmt::format("no word on {} in time", milter::to_text(*stage)) : "takes nothing more");
      }),
      fault_(spec_.fault) {}

FilterLink::~FilterLink() {
  if (stream_ == nullptr || !stream_->open()) return;
  session_.quit();
  send();
  stream_->close_when_sent();
}

std::optional<FilterLink::Said> FilterLink::ask(Question question, net::Millis limit, Answer answer) {
  base::expect(!answer_, "a filter is asked one thing at a time");
  if (failed()) return failure();
  limit_ = limit;
  if (!ready_) {
    question_ = std::move(question);
    answer_ = std::move(answer);
    if (stream_ == nullptr) connect();
    return std::nullopt;
  }
  const bool waits = question(session_);
  send();
  full_ = !waits && stream_->unsent() > kMostUnsent;
  if (!waits && !full_) return milter::Verdict{};
  answer_ = std::move(answer);
  deadline_.start(limit_);
  return std::nullopt;
}

void FilterLink::abort() {
  question_ = nullptr;
  answer_ = nullptr;
  full_ = false;
  if (ready_) deadline_.stop();
  if (failed() || !ready_) return;
  session_.abort();
  send();
}

FilterLink::Said FilterLink::failure() const { return base::fail(base::Kind::kTemporary, fault_); }

void FilterLink::connect() {
  deadline_.start(spec_.connect);
  stream_ = net::Stream::connect(loop_, spec_.address, spec_.connect, *this);
}

void FilterLink::send() {
  if (stream_ == nullptr || session_.output().empty()) return;
  stream_->write(session_.output());
  session_.output().clear();
}

void FilterLink::put_question() {
  if (!question_) return deadline_.stop();  // aborted meanwhile
  const auto question = std::exchange(question_, nullptr);
  const bool waits = question(session_);
  send();
  if (waits) return deadline_.start(limit_);
  finish(milter::Verdict{});
}

void FilterLink::finish(const Said& said) {
  deadline_.stop();
  if (const auto answer = std::exchange(answer_, nullptr)) answer(said);
}

void FilterLink::fail(std::string fault) {
  if (failed()) return;
  fault_ = std::move(fault);
  question_ = nullptr;
  if (stream_ != nullptr) stream_->close();
  finish(failure());
}

void FilterLink::on_connected() { send(); }

void FilterLink::on_data(std::string_view bytes) {
  session_.receive(bytes);
  on_events();
}

// All that has come is looked at before anything is answered: a second word on one question breaks the rules.
void FilterLink::on_events() {
  using Kind = milter::FilterEvent::Kind;
  std::optional<milter::FilterEvent> last;
  while (auto event = session_.next_event()) {
    if (event->kind == Kind::kProgress) deadline_.start(limit_);
    else last = std::move(event);
  }
  if (!last) return;
  if (last->kind == Kind::kBroken) return fail(last->error);
  if (last->kind == Kind::kVerdict) return finish(last->verdict);
  ready_ = true;
  put_question();
}

void FilterLink::on_end(std::string_view reason) {
  fail(reason.empty() ? std::string("closed the connection") : std::string(reason));
}

void FilterLink::on_sent() {
  if (!std::exchange(full_, false)) return;
  finish(milter::Verdict{});
}

}  // namespace holdfast::filtering
