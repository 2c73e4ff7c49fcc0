"""Why a bundle is refused."""


class BundleError(ValueError):
    """A bundle that is refused; says which field, what it says and what was expected."""
