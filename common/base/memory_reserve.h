// What a process does when it gets no more memory (docs/decisions/0010).
//
// A reserve of address space is kept. When an allocation fails it is given back and the allocation tried
// again: work under way goes on, and whoever asks short_of_memory() takes no new work. When that is used up
// too the process ends at once, as by a kill: what it acknowledged is on disk, and master starts another. No
// bad_alloc is ever thrown, so that none passes through code that is in the middle of something.
#pragma once

#include <cstddef>

namespace holdfast::base {

// From now on, for all threads. Once a process.
void keep_memory_reserve(std::size_t bytes);

// The reserve is gone. Cheap; from any thread.
bool short_of_memory();

// Tries to have the reserve again; true when it is there. Not at the same time as keep_memory_reserve().
bool regain_memory_reserve();

// malloc and realloc that draw on the reserve as operator new does: for C libraries.
void* allocate(std::size_t bytes);
void* reallocate(void* block, std::size_t bytes);

}  // namespace holdfast::base
