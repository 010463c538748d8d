"""Members of enumerations at the price of any other attribute."""

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        void* tp_getattro
    PyTypeObject PyType_Type


def read_plainly(type kind not None):
    """Python 3.11's EnumType has a __getattr__, so that every `OrderSide.BUY` goes by way of a Python method that looks for a method: 100 ns
    instead of 22. `kind` is a subclass of it without members yet; its classes keep their members where every class has its
    attributes, and the plain look-up finds them. Other Pythons have no such method, and nothing is done."""
    if any("__getattr__" in one.__dict__ for one in kind.__mro__):
        (<PyTypeObject*>kind).tp_getattro = PyType_Type.tp_getattro
