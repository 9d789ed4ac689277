// What GMime gives is counted by references.
#pragma once

#include <memory>

#include <gmime/gmime.h>

namespace holdfast::filter {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

}  // namespace holdfast::filter
