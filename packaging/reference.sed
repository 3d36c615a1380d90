# SPDX-License-Identifier: BSL-1.0
#
# A header as Doxygen is to see it: what it begins with is its page, and what is in `detail`, or
# declared by hand of a system, is not there. No line moves.
1s|.*|/// @file|
2,/^[^/]/s|^//|///|

# A short one only declares, and has no comment at its end.
/^namespace detail {$/{
  N
  N
  /\n}$/!s|^|/** @cond */ |
}
s|^}  // namespace detail$|} /** @endcond */|

/^extern "C" {$/,/^}/{
  s|^extern "C" {|/** @cond */ &|
  s|^}.*|} /** @endcond */|
}
