#include "common/filtering/telling.h"

#include <utility>

namespace holdfast::filtering {

using milter::Stage;

Telling::Telling(FilterLink& link, const storage::Content& content, const milter::Macros& macros)
    : link_(link), reader_(content), macros_(macros) {}

void Telling::run(Done done) {
  done_ = std::move(done);
  pump();
}

bool Telling::tell(milter::FilterSession& filter) const {
  if (!part_) return filter.data(macros_);
  switch (part_->stage) {
    case Stage::kHeader: return filter.header(part_->field.name, part_->field.value, macros_);
    case Stage::kEndOfHeader: return filter.end_of_header(macros_);
    case Stage::kBody: return filter.body(part_->chunk, macros_);
    default: return filter.end_of_message(macros_);
  }
}

// False: the content cannot be read.
bool Telling::next_part() {
  for (;;) {
    if ((part_ = feed_.next())) return true;
    const auto piece = reader_.next();
    if (!piece) return false;
    piece->empty() ? feed_.end() : feed_.give(*piece);
  }
}

void Telling::pump() {
  for (;;) {
    if (std::exchange(begun_, true) && !next_part()) {
      const auto done = std::move(done_);
      return done(base::fail(base::Kind::kInternal, "the message's content cannot be read"));
    }
    const auto said = link_.ask([this](milter::FilterSession& filter) { return tell(filter); }, link_.spec().content,
                                [this](const FilterLink::Said& later) {
                                  if (take(later)) pump();
                                });
    if (!said || !take(*said)) return;
  }
}

// Whether to go on.
bool Telling::take(const FilterLink::Said& said) {
  const bool last = part_ && part_->stage == Stage::kEndOfMessage;
  if (said && said->kind == milter::Verdict::Kind::kContinue && !last) return true;
  const auto done = std::move(done_);
  done(said);
  return false;
}

}  // namespace holdfast::filtering
